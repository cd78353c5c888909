"""What is held up beyond the send window of its recipient waits for the next one, and is found meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from services.dispatch.domain.pace import Limits
from services.dispatch.worker.minding import let_go
from services.dispatch.worker.pacing import let_out
from shared.contracts.model import Channel, Family
from shared.contracts.programmes import ProgrammePublished, ProgrammeState
from shared.contracts.surveys import SendHours
from shared.embedded.smtp import Fault, FaultKind
from shared.runtime.clock import FixedClock
from tests.support.dispatch import MailRoom, cancelled, reminder, survey_id

OFFICE = SendHours(days=(1, 2, 3), opens=9 * 60 + 30, closes=16 * 60, zone="Europe/Stockholm", country="SE")
"""Tuesday to Thursday; it is Tuesday, 10:00 in Stockholm."""
CLOSES = datetime(2026, 3, 3, 15, 0, tzinfo=UTC)
TOMORROW = datetime(2026, 3, 4, 8, 30, tzinfo=UTC)
NEXT_WEEK = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
pytestmark = pytest.mark.requirement("R46")


async def ask(room: MailRoom, *names: str, **fields: Any) -> None:
    for name in names:
        await room.ask(name, **({"send_hours": OFFICE} | fields))


async def at(room: MailRoom, clock: FixedClock, instant: datetime) -> int:
    """Business time goes on, and what its hours let go is delivered; how many those were."""
    clock.set(instant)
    done = await let_go(room.db)
    await room.work()
    return done


async def test_what_is_asked_in_time_leaves_at_once(room: MailRoom, clock: FixedClock) -> None:
    clock.set(CLOSES - timedelta(microseconds=1))
    await ask(room, "anna")
    await room.work()
    assert await room.state("anna") == ("handed_over", None)


async def test_what_a_limit_holds_back_beyond_the_window_leaves_in_the_next_one(
    room: MailRoom, clock: FixedClock, api: httpx.AsyncClient
) -> None:
    room.postman = replace(room.postman, limits=Limits({Channel.EMAIL: 1}))
    await ask(room, "anna", "bert", "carl")
    await room.work()
    assert len(room.mails) == 1
    before = REGISTRY.get_sample_value("afterword_dispatch_out_of_hours_total", {"channel": "email"}) or 0
    clock.set(CLOSES)
    for _ in range(2):
        await room.run("update paces set next_at = next_at - interval '62 seconds'")
        await let_out(room.db)
        await room.work()
    assert len(room.mails) == 1, "nobody is written to in the evening"
    after = REGISTRY.get_sample_value("afterword_dispatch_out_of_hours_total", {"channel": "email"})
    assert after == before + 2
    found = (await api.get("/v1/messages", params={"survey": survey_id("bert")})).json()["messages"][0]
    assert (found["state"], found["opens_at"]) == ("planned", TOMORROW.isoformat().replace("+00:00", "Z"))
    assert found["limited_by"] == "limit: 1 a minute by email"
    assert (await api.get("/v1/messages/books")).json()["balanced"]

    assert await at(room, clock, TOMORROW - timedelta(microseconds=1)) == 0
    await room.run("update paces set next_at = next_at - interval '62 seconds'")
    assert await at(room, clock, TOMORROW) == 2
    assert [mail.recipients[0] for mail in room.mails] == ["anna@customer.example", "bert@customer.example"]
    await room.run("update paces set next_at = next_at - interval '62 seconds'")
    await let_out(room.db)
    await room.work()
    assert await room.state("carl") == ("handed_over", None)
    late = (await api.get("/v1/messages", params={"survey": survey_id("carl")})).json()["messages"][0]
    assert late["opens_at"] is None


async def test_days_that_are_no_days_of_the_window_are_passed_over(room: MailRoom, clock: FixedClock) -> None:
    clock.set(CLOSES + timedelta(days=2))
    await ask(room, "anna")
    await room.work()
    assert await at(room, clock, NEXT_WEEK - timedelta(seconds=1)) == 0
    assert await at(room, clock, NEXT_WEEK) == 1
    assert await room.state("anna") == ("handed_over", None)


@pytest.mark.parametrize(("outside", "state"), [(False, "suppressed"), (True, "handed_over")])
async def test_whose_moment_is_over_before_the_next_window_goes_at_a_decent_hour_or_not_at_all(
    room: MailRoom, clock: FixedClock, outside: bool, state: str
) -> None:
    hours = OFFICE.model_copy(update={"outside_before_stale": outside})
    clock.set(CLOSES)
    await ask(room, "anna", send_hours=hours, fresh_until=TOMORROW)
    await room.work()
    assert await room.state("anna") == (state, None if outside else "expired")


async def test_a_server_that_refuses_for_now_does_not_carry_a_mail_into_the_night(
    room: MailRoom, clock: FixedClock
) -> None:
    room.faults.rules.append(Fault("anna@*", FaultKind.REFUSE_RECIPIENT, "450 4.2.1 later", times=1))
    await ask(room, "anna")
    await room.work()
    clock.set(CLOSES)
    await room.wake()
    await room.work()
    assert room.mails == []
    assert await at(room, clock, TOMORROW) == 1
    assert len(room.mails) == 1


async def test_a_brake_that_is_taken_off_at_night_lets_nothing_out_before_the_morning(
    room: MailRoom, clock: FixedClock
) -> None:
    def programme(revision: int, state: ProgrammeState) -> ProgrammePublished:
        return ProgrammePublished(
            programme="relationship-nps",
            version="v1",
            revision=revision,
            state=state,
            family=Family.RELATIONSHIP,
            definition={},
        )

    await room.tell(programme(1, ProgrammeState.PAUSED))
    await ask(room, "anna")
    await room.work()
    clock.set(CLOSES)
    await room.tell(programme(2, ProgrammeState.ACTIVE))
    await room.work()
    assert room.mails == []
    assert await at(room, clock, TOMORROW) == 1
    assert await room.state("anna") == ("handed_over", None)


async def test_a_reminder_keeps_to_the_hours_of_its_survey(room: MailRoom, clock: FixedClock) -> None:
    await ask(room, "anna")
    await room.work()
    clock.set(CLOSES)
    await room.tell(reminder("anna"))
    await room.run("update messages set view_current = true")
    await room.work()
    assert len(room.mails) == 1
    assert await at(room, clock, TOMORROW) == 1
    assert room.read()["Subject"].startswith("Reminder: ")


async def test_what_is_called_off_overnight_never_leaves(room: MailRoom, clock: FixedClock) -> None:
    clock.set(CLOSES)
    await ask(room, "anna")
    await room.work()
    await room.tell(cancelled("anna"))
    assert await at(room, clock, TOMORROW) == 1
    assert await room.state("anna") == ("suppressed", "cancelled")
    assert room.mails == []


async def test_a_channel_that_is_not_set_up_hands_on_at_any_hour(room: MailRoom, clock: FixedClock) -> None:
    clock.set(CLOSES)
    await ask(room, "anna", channels=(Channel.SMS, Channel.EMAIL))
    await room.work()
    rows = await room.fetch("select channel, state, opens_at from messages order by channel")
    assert [tuple(row) for row in rows] == [("email", "planned", TOMORROW), ("sms", "passed_on", None)]
    assert await at(room, clock, TOMORROW) == 1
    assert len(room.mails) == 1


async def test_an_event_that_brings_no_hours_leaves_at_any_time(room: MailRoom, clock: FixedClock) -> None:
    clock.set(CLOSES + timedelta(hours=8))
    await ask(room, "anna", send_hours=None)
    await room.work()
    assert await room.state("anna") == ("handed_over", None)
