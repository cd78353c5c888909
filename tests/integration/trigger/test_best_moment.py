"""The best moment with a database: heard from deliveries and answers, learned once a day, waited for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.trigger.store import slots
from services.trigger.worker.learning import Learning
from shared.contracts.deliveries import DeliveryHandedOver
from shared.contracts.forms import QuestionType
from shared.contracts.model import Channel
from shared.contracts.responses import Mood, ResponseSubmitted, Score
from shared.contracts.surveys import SurveyRequested
from shared.security.roles import Scope
from tests.support.trigger import Site, World

pytestmark = pytest.mark.requirement("R46", "R93")


@pytest.fixture
def programmes(programmes: Path) -> Path:
    """The onboarding programme learns."""
    file = programmes / "onboarding.yaml"
    text = file.read_text()
    assert "window: {days" in text
    file.write_text(text.replace("window: {days", "window: {learn: true, days"))
    return programmes


async def signed_up(world: World, number: int) -> None:
    person = {"id": f"c{number}", "email": f"p{number}@kund{number}.example", "zone": "Europe/Stockholm"}
    await world.tell("customer.signed_up", contact=person, account={"id": f"a{number}"})


async def heard(world: World, *, answered: int) -> None:
    """All surveys are delivered, and the first so many answered an hour later."""
    asked: list[SurveyRequested] = await world.said(SurveyRequested)
    at = world.clock.now()
    for survey in asked:
        handed: dict[str, Any] = {
            "delivery_id": survey.survey_id,
            "version": 1,
            "channel": Channel.EMAIL,
            "at": at,
        }
        told = DeliveryHandedOver(survey_id=survey.survey_id, snapshot=survey.snapshot, **handed)
        await world.hear(told)
    later = at + timedelta(hours=1)
    for number, survey in enumerate(asked[:answered]):
        answer = ResponseSubmitted(
            response_id=str(UUID(int=number)),
            survey_id=survey.survey_id,
            version=1,
            snapshot=survey.snapshot,
            at=later,
            received_at=later,
            first_at=later,
            primary="ces",
            mood=Mood.HAPPY,
            low=3,
            scores=(Score(question="ces", type=QuestionType.CES, value=7),),
        )
        await world.hear(answer)


async def test_the_moment_is_waited_for_and_told(world: World) -> None:
    world.clock.advance(timedelta(hours=6))
    for number in range(8):
        await signed_up(world, number)
    await world.until(world.clock.now() + timedelta(days=30))
    assert len(await world.said(SurveyRequested)) == 8
    waits = [e.decision for e in await world.ledger() if e.decision.reason == "best_moment"]
    assert len(waits) >= 6
    untried = [one for one in waits if not one.inputs["tried"]]
    assert {one.inputs["slot"] for one in untried} <= {"tue 10-12", "wed 10-12", "thu 10-12"}
    async with world.db.read() as conn:
        early = await conn.fetchval(
            "select count(*) from asks join plans p on p.id = plan_id where asked_at < first_due_at"
        )
    assert early == 0


async def test_who_answered_when_is_learned_after_some_days(world: World, blank_site: Site) -> None:
    for number in range(4):
        await signed_up(world, number)
    await world.until(world.clock.now() + timedelta(days=26))
    await heard(world, answered=1)
    assert await known(world) == []
    await world.later(days=5)
    assert await known(world) == [], "answers may still come in"
    await world.later(days=1)
    ((segment, asked, answered),) = await known(world)
    assert (segment, asked, answered) == ("transactional/en", 4, 1)
    await world.later(days=370)
    async with await blank_site.with_key(Scope.PROGRAMMES_READ) as client:
        (found,) = (await client.get("/v1/moments/learned")).json()["segments"]
        assert (found["segment"], found["asked"], found["answered"]) == ("transactional/en", 4, 1)
        assert [slot["best"] for slot in found["slots"]].count(True) == 1
        assert (found["used_by"], found["sure"]) == (["onboarding-ces"], False)
    assert await known(world) == [], "a year later it says nothing any more"


async def known(world: World) -> list[tuple[str, int, int]]:
    """What was learned today."""
    await Learning(world.db).run()
    async with world.db.read() as conn:
        found = await slots.lessons(conn)
    totals: dict[str, list[int]] = {}
    for lesson in found:
        pair = totals.setdefault(lesson.segment, [0, 0])
        pair[0] += lesson.seen.asked
        pair[1] += lesson.seen.answered
    return [(segment, pair[0], pair[1]) for segment, pair in totals.items()]
