"""Wrongs of answers."""

from typing import Any

from tests.chaos.journal import Actor, Answered, Operation, Outcome, Stopped
from tests.chaos.planting import Plant, added, changed, copied, dropped, lone_answer, survey, updated

BO = "4f858f8a-a987-537d-956a-e2d522d0c162"
FAY = "62e4ff61-971a-5710-a8b2-44633c3714de"
IVY = "27e366df-4d18-5b51-9cfe-8090d2f87a81"
FAYS_CONTACT = "33db8985-d7ca-5e17-a150-8f67286638e7"
"""Ids follow from what the backends call things, so they are the same in each life of the story."""


def _stop(operation: Operation[Any]) -> bool:
    return isinstance(operation.deed, Stopped)


PLANTS = [
    Plant("lost-answer", spoil=added(Answered(Actor.PERSON, BO, "", 5), first=True)),
    Plant(
        "missing-version",
        sql=(f"delete from collector.answers where version = 2 and survey_id = {survey('hal')}",),
        also=("lost-answer",),
    ),
    Plant("answer-from-nowhere", spoil=dropped(lone_answer)),
    Plant("stop-from-nowhere", spoil=dropped(_stop)),
    Plant("lost-stop", spoil=added(Stopped(Actor.PERSON, FAYS_CONTACT))),
    Plant(
        "doubled-answer",
        sql=(
            "drop index collector.answers_idempotency",
            updated("collector.answers", "idempotency_key = 'same'", survey_id=survey("bo")),
        ),
    ),
    Plant(
        "wrong-current-answer",
        sql=(updated("collector.answers", "verdict = 'machine'", version="2", survey_id=survey("bo")),),
    ),
    Plant("lost-amendment", spoil=added(Answered(Actor.PERSON, BO, "", 2))),
    Plant(
        "forgotten-answer",
        sql=(copied("collector.answers", f"survey_id = {survey('cy')}", survey_id=survey("fay")),),
        spoil=added(Answered(Actor.PERSON, FAY, "", 1)),
    ),
    Plant(
        "unsettled-answer",
        sql=(f"insert into collector.settling values ({survey('bo')}, '2026-03-20', '2026-03-20')",),
    ),
    Plant("machine-counted", spoil=changed(lone_answer, by=Actor.MACHINE)),
    Plant(
        "answer-after-end",
        sql=(updated("collector.surveys", "closes_at = '2026-03-12'", survey_id=survey("bo")),),
    ),
    Plant(
        "answer-after-erasure",
        sql=("update collector.inbox set seen_at = seen_at - interval '2 seconds'",),
        spoil=added(Answered(Actor.PERSON, IVY, "", 1)),
    ),
    Plant("refused-answer-kept", spoil=changed(lone_answer, outcome=Outcome.FAIL)),
]
