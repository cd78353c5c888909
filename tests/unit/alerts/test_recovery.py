"""Did we fix it? What a customer's yes and no mean for the case."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.alerts.domain import ticket as life
from services.alerts.domain import unconfirmed
from services.alerts.domain.causes import DEFAULT_CAUSES
from services.alerts.domain.model import Answer, Audience, Kind, Occasion, Refused, Standing, Step, Ticket
from services.alerts.domain.recovery import asked_about, heard
from services.alerts.domain.thanking import Policy, Thanks, reply_to
from services.alerts.domain.unconfirmed import ItemState
from services.alerts.domain.undoing import remember, undo
from shared.contracts.forms import QuestionType
from shared.contracts.responses import Mood
from shared.contracts.tickets import TicketReopened, TicketResolved, TicketState
from shared.contracts.touchpoints import CASE_RESOLVED
from shared.runtime.ids import derive
from tests.support.alerts import HOUR, REP, T0, answer, snapshot

CASE = derive("ticket", "one")
ENDED = T0 + 2 * HOUR
SAID = T0 + timedelta(days=2)


def resolved() -> Ticket:
    """A case that Rita resolved after a call."""
    ticket = life.open_(answer(), CASE, REP).ticket
    assert REP.user_id is not None
    called = life.contact(ticket, REP.user_id, T0 + HOUR, {"via": "phone"}, "")
    assert isinstance(called, Step)
    ended = life.resolve(called.ticket, REP.user_id, ENDED, DEFAULT_CAUSES[0], "Mended.", attempts=0)
    assert isinstance(ended, Step)
    (event,) = ended.events
    assert isinstance(event, TicketResolved)
    assert (event.run, event.contacted) == (1, True)
    return remember(called.ticket, ended, "resolve", REP.user_id, ENDED).ticket


def says(*, fixed: bool, at: datetime = SAID, version: int = 1) -> Answer:
    """An answer to the question about the case."""
    about = snapshot(touchpoint=CASE_RESOLVED, context={"case": str(CASE), "run": "1"})
    return answer(
        "fixed",
        int(fixed),
        at=at,
        version=version,
        scale=QuestionType.YES_NO,
        mood=Mood.HAPPY if fixed else Mood.UNHAPPY,
        snapshot=about,
        wants_ticket=False,
    )


@pytest.mark.requirement("R72")
def test_a_yes_confirms_the_case() -> None:
    (step,) = heard(resolved(), None, says(fixed=True), "All good.")
    assert (step.ticket.state, step.ticket.confirmed_at) == (TicketState.RESOLVED, SAID)
    assert [event.TYPE for event in step.events] == ["ticket.recovered.v1"]
    (line,) = step.entries
    assert (line.kind, line.note) == (Kind.CONFIRMED, "All good.")


@pytest.mark.requirement("R72", "R78")
def test_a_no_opens_the_case_again_with_new_clocks_and_tells_the_managers() -> None:
    (step,) = heard(resolved(), None, says(fixed=False), "It still breaks.")
    assert (step.ticket.state, step.ticket.run.generation) == (TicketState.OPEN, 2)
    assert step.ticket.run.contact_due_at == T0 + timedelta(days=3)
    assert step.ticket.denied_at == SAID
    (told,) = step.tells
    assert told.occasion is Occasion.DENIED
    assert Audience.MANAGERS in told.audiences
    assert [line.kind for line in step.entries] == [Kind.DENIED, Kind.REOPENED]
    assert step.entries[0].note == "It still breaks."


def test_a_no_after_a_yes_still_opens_the_case() -> None:
    (yes,) = heard(resolved(), None, says(fixed=True), "")
    (no,) = heard(yes.ticket, says(fixed=True), says(fixed=False, version=2), "")
    assert no.ticket.state is TicketState.OPEN
    assert no.ticket.confirmed_at is None


def test_a_yes_in_the_end_leaves_no_higher_priority() -> None:
    (no,) = heard(resolved(), None, says(fixed=False), "")
    assert REP.user_id is not None
    called = life.contact(no.ticket, REP.user_id, SAID + HOUR, {"via": "phone"}, "")
    assert isinstance(called, Step)
    again = life.resolve(called.ticket, REP.user_id, SAID + 2 * HOUR, DEFAULT_CAUSES[0], "Now.", attempts=0)
    assert isinstance(again, Step)
    assert again.events[0].run == 2
    assert again.ticket.denied_at is not None
    (yes,) = heard(again.ticket, None, says(fixed=True, at=SAID + 3 * HOUR), "")
    assert (yes.ticket.confirmed_at, yes.ticket.denied_at) == (SAID + 3 * HOUR, None)


@pytest.mark.parametrize(
    ("at", "counts"), [(ENDED, True), (ENDED - timedelta(microseconds=1), False)], ids=["at", "before"]
)
def test_what_was_said_before_the_case_ended_is_written_down_and_changes_nothing(
    at: datetime, *, counts: bool
) -> None:
    (step,) = heard(resolved(), None, says(fixed=False, at=at), "")
    assert (step.ticket.state is TicketState.OPEN) is counts
    assert bool(step.tells) is counts
    assert ("late" in step.entries[0].data) is not counts


def test_a_word_about_a_case_that_is_open_again_changes_nothing() -> None:
    (again,) = heard(resolved(), None, says(fixed=False), "")
    (late,) = heard(again.ticket, says(fixed=False), says(fixed=True, version=2), "")
    assert (late.ticket.state, late.tells, late.events) == (TicketState.OPEN, (), ())
    assert [(line.kind, line.data["late"]) for line in late.entries] == [(Kind.CONFIRMED, "1")]


def test_a_held_answer_says_nothing_and_waits_for_a_look() -> None:
    held = replace(says(fixed=False), standing=Standing.HELD)
    assert heard(resolved(), None, held, "") == ()
    item = unconfirmed.judge(None, held)
    assert item is not None
    assert item.is_waiting, "a person's no is not lost"
    released = unconfirmed.judge(item, says(fixed=False, version=2))
    assert released is not None
    assert released.state is ItemState.RELEASED
    assert unconfirmed.judge(None, replace(says(fixed=True), standing=Standing.HELD)) is None


def test_a_yes_that_was_no_persons_confirms_nothing() -> None:
    (yes,) = heard(resolved(), None, says(fixed=True), "")
    held = replace(says(fixed=True, version=2), standing=Standing.HELD)
    (back,) = heard(yes.ticket, says(fixed=True), held, "")
    assert (back.ticket.state, back.ticket.confirmed_at) == (TicketState.RESOLVED, None)
    assert heard(back.ticket, held, replace(held, version=3), "") == ()


def test_a_no_beside_an_open_case_is_heard_there() -> None:
    busy = life.open_(answer("r9"), derive("ticket", "two"), REP).ticket
    ended, there = heard(resolved(), None, says(fixed=False), "Still.", busy=busy)
    assert ended.ticket.state is TicketState.RESOLVED
    assert ended.entries[0].data["beside"] == str(busy.id)
    assert (there.ticket.id, there.ticket.denied_at) == (busy.id, SAID)
    assert [told.occasion for told in there.tells] == [Occasion.DENIED]


def test_nobody_is_thanked_for_the_answer_about_a_case() -> None:
    policy = Policy(thanks=Thanks.ALL)
    assert reply_to(says(fixed=True), None, SAID, policy, words=True) is None
    assert asked_about(says(fixed=True).snapshot) == CASE
    assert asked_about(answer().snapshot) is None
    assert asked_about(snapshot(touchpoint=CASE_RESOLVED, context={"case": "7"})) is None


def test_a_no_beside_an_open_case_takes_an_earlier_yes_back() -> None:
    (confirmed,) = heard(resolved(), None, says(fixed=True), "")
    busy = life.open_(answer("r9"), derive("ticket", "two"), REP).ticket
    ended, _ = heard(confirmed.ticket, says(fixed=True), says(fixed=False), "Not after all.", busy=busy)
    assert (confirmed.ticket.confirmed_at, ended.ticket.confirmed_at) == (SAID, None)
    assert ended.ticket.state is TicketState.RESOLVED


def test_taking_back_a_resolution_is_no_new_run() -> None:
    assert REP.user_id is not None
    back = undo(resolved(), REP.user_id, ENDED + timedelta(minutes=1))
    assert not isinstance(back, Refused)
    (event,) = back.events
    assert isinstance(event, TicketReopened)
    assert (event.run, event.undone) == (1, True)
