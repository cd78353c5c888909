"""Steps of a survey: reminded is who was reached and has not answered, as far as answers are known here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.dispatch.handlers.surveys import on_surveys
from services.dispatch.worker.minding import Views
from shared.bus.memory import MemoryBus
from shared.bus.model import Outgoing, TopicSpec
from shared.bus.partitioner import partition_of
from shared.contracts.envelope import Event
from shared.contracts.forms import QuestionType
from shared.contracts.model import Payload
from shared.contracts.reasons import Reason
from shared.contracts.responses import (
    Answered,
    Mood,
    ResponseAmended,
    ResponseHeld,
    ResponseReleased,
    ResponseStarted,
    ResponseSubmitted,
    ResponseWithdrawn,
    Score,
)
from shared.contracts.surveys import SurveyExtended
from shared.contracts.topics import Topic
from shared.embedded.smtp import Fault, FaultKind
from shared.runtime.clock import FixedClock
from tests.support.dispatch import NOW, MailRoom, account_id, cancelled, reminder, snapshot, survey_id
from tests.support.postbox import text_of

RESPONSES = Topic.RESPONSES.value


def answer(kind: type[Payload], version: int) -> Payload:
    fields: dict[str, Any] = {
        "response_id": survey_id("anna"),
        "survey_id": survey_id("anna"),
        "version": version,
        "snapshot": snapshot("anna"),
        "at": NOW,
    }
    if issubclass(kind, Answered):
        fields |= {
            "received_at": NOW,
            "first_at": NOW,
            "primary": "nps",
            "mood": Mood.HAPPY,
            "low": 6,
            "scores": (Score(question="nps", type=QuestionType.NPS, value=9),),
        }
    return kind(**fields)


async def a_bus(lag: int = 0) -> MemoryBus:
    bus = MemoryBus()
    await bus.ensure_topics([TopicSpec(RESPONSES, 6, compacted=False, retention=None)])
    key = str(account_id("acme")).encode()
    if lag:
        await bus.produce([Outgoing(RESPONSES, key, b"{}") for _ in range(lag)])
    return bus


async def reminded(room: MailRoom) -> None:
    await room.tell(reminder("anna"))
    await Views(room.db, await a_bus()).prove()
    await room.work()


@pytest.mark.requirement("R49")
async def test_a_reminder_says_so_and_asks_again(room: MailRoom) -> None:
    await room.ask("anna")
    await room.work()
    await reminded(room)
    assert [m.recipients for m in room.mails] == [("anna@customer.example",)] * 2
    first, second = room.read(0), room.read(1)
    assert second["Subject"] == f"Reminder: {first['Subject']}"
    assert first["Message-ID"] != second["Message-ID"]
    assert [told.data.step for told in await room.told()] == [0, 1]


@pytest.mark.requirement("R49")
@pytest.mark.parametrize(
    "order", [(ResponseStarted, ResponseWithdrawn), (ResponseWithdrawn, ResponseStarted)]
)
async def test_whoever_began_is_reminded_in_other_words(
    room: MailRoom, order: tuple[type[Payload], type[Payload]]
) -> None:
    await room.ask("anna")
    await room.ask("bert")
    await room.work()
    for kind in order:
        await room.tell(answer(kind, 1))
    await reminded(room)
    mail = room.read()
    assert mail["Subject"] == f"Still open: {room.read(0)['Subject']}"
    assert "You began to answer" in text_of(mail)
    await room.tell(reminder("bert"))
    await Views(room.db, await a_bus()).prove()
    await room.work()
    assert room.read()["Subject"].startswith("Reminder: ")


@pytest.mark.requirement("R49")
async def test_a_reminder_after_an_uncertain_mail_speaks_like_the_first(room: MailRoom) -> None:
    room.faults.rules.append(Fault("anna@*", FaultKind.DROP_BEFORE_ACCEPT, times=1))
    await room.ask("anna")
    await room.work()
    assert (await room.state("anna"))[0] == "uncertain"
    await reminded(room)
    assert room.read()["Subject"] == "How is Cloud doing?"
    assert (await room.state("anna", step=1))[0] == "handed_over"


async def test_a_reminder_never_comes_on_the_heels_of_a_delayed_first_mail(room: MailRoom) -> None:
    room.faults.rules.append(Fault("anna@*", FaultKind.REFUSE_RECIPIENT, times=1))
    await room.ask("anna")
    await room.work()
    await reminded(room)
    assert await room.state("anna", step=1) == ("suppressed", Reason.SUPERSEDED)


@pytest.mark.requirement("R49")
@pytest.mark.parametrize(
    ("events", "state"),
    [
        pytest.param([(ResponseSubmitted, 1)], "suppressed", id="answered"),
        pytest.param([(ResponseSubmitted, 1), (ResponseAmended, 2)], "suppressed", id="amended"),
        pytest.param([(ResponseHeld, 1)], "handed_over", id="held: no person answered yet"),
        pytest.param([(ResponseHeld, 1), (ResponseReleased, 2)], "suppressed", id="released"),
        pytest.param([(ResponseSubmitted, 1), (ResponseWithdrawn, 2)], "handed_over", id="withdrawn"),
        pytest.param(
            [(ResponseAmended, 2), (ResponseHeld, 1)], "suppressed", id="older news changes nothing"
        ),
        pytest.param([], "handed_over", id="silent"),
    ],
)
async def test_who_answered_is_not_reminded(
    room: MailRoom, events: list[tuple[type[Payload], int]], state: str
) -> None:
    await room.ask("anna")
    await room.work()
    for kind, version in events:
        await room.tell(answer(kind, version))
    await reminded(room)
    assert (await room.state("anna", step=1))[0] == state


async def test_news_of_one_batch_are_folded_in_order(room: MailRoom) -> None:
    await room.tell(
        await room.request("anna"),
        reminder("anna", version=2),
        SurveyExtended(
            survey_id=survey_id("anna"),
            version=3,
            snapshot=snapshot("anna"),
            closes_at=NOW + timedelta(days=45),
        ),
        cancelled("anna", version=4),
    )
    await room.tell(answer(ResponseSubmitted, 1))
    [survey] = await room.fetch("select version, closes_at, cancelled_as from surveys")
    assert tuple(survey) == (4, NOW + timedelta(days=45), "cancelled")
    await room.work()
    assert await room.state("anna") == ("suppressed", Reason.CANCELLED)


@pytest.mark.requirement("R48")
async def test_an_extended_survey_may_still_be_reminded(room: MailRoom, clock: FixedClock) -> None:
    await room.ask("anna")
    await room.work()
    await room.tell(
        SurveyExtended(
            survey_id=survey_id("anna"),
            version=2,
            snapshot=snapshot("anna"),
            closes_at=NOW + timedelta(days=45),
        )
    )
    clock.advance(timedelta(days=40))
    await reminded(room)
    assert (await room.state("anna", step=1))[0] == "handed_over"


async def test_a_reminder_waits_while_answers_of_its_key_are_unread(room: MailRoom) -> None:
    await room.ask("anna")
    await room.work()
    await room.tell(reminder("anna"))
    await room.work()
    assert (await room.state("anna", step=1))[0] == "planned"
    assert await Views(room.db, await a_bus(lag=1)).prove() == 0
    await room.work()
    assert (await room.state("anna", step=1))[0] == "planned"
    # The unread record turns out to be the answer.
    await room.tell(answer(ResponseSubmitted, 1))
    assert await Views(room.db, await a_bus()).prove() == 1
    await room.work()
    assert await room.state("anna", step=1) == ("suppressed", Reason.ANSWERED)


async def test_lag_of_other_keys_does_not_matter(room: MailRoom) -> None:
    await room.ask("anna")
    await room.work()
    await room.tell(reminder("anna"))
    bus = await a_bus()
    own = str(account_id("acme")).encode()
    other = next(n for n in range(6) if n != partition_of(own, 6))
    await bus.produce([Outgoing(RESPONSES, b"x", b"{}", partition=other)])
    assert await Views(room.db, bus).prove() == 1


@pytest.mark.parametrize(("waited", "proven"), [("14 minutes 50 seconds", 0), ("15 minutes", 1)])
async def test_a_reminder_waits_fifteen_minutes_at_most(room: MailRoom, waited: str, proven: int) -> None:
    await room.ask("anna")
    await room.work()
    await room.tell(reminder("anna"))
    await room.run(f"update messages set arrived_at = arrived_at - interval '{waited}' where step = 1")
    bus = await a_bus()
    bus.go_down()
    assert await Views(room.db, bus).prove() == proven


async def test_news_of_an_unknown_survey_are_put_aside(room: MailRoom) -> None:
    event = Event("1", "/test", "", NOW, "", "k", reminder("nobody"))
    async with room.db.begin() as tx:
        await on_surveys([event], tx)
        assert tx.rejected == [(event, "survey_id: no survey.requested of this survey was seen")]
    assert await room.fetch("select * from messages") == []
