"""From the contact to the customer's word that it is mended, and what can be taken back."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from services.alerts.domain import progress, undoing
from services.alerts.domain import ticket as life
from services.alerts.domain.causes import DEFAULT_CAUSES, find
from services.alerts.domain.clocks import Clock, timers
from services.alerts.domain.model import Audience, Kind, Occasion, Refused, Step, Ticket
from shared.contracts.tickets import TicketState
from shared.runtime.ids import derive
from tests.support.alerts import HOUR, REP, T0, answer

ANA, BEN = derive("user", "ana"), derive("user", "ben")
DAY = timedelta(days=1)
PRODUCT = find(DEFAULT_CAUSES, "product_defect")


def done(step: Step | Refused) -> Ticket:
    assert isinstance(step, Step), step
    return step.ticket


def opened() -> Ticket:
    return life.open_(answer(), derive("ticket"), REP).ticket


def contacted() -> Ticket:
    return done(life.contact(opened(), ANA, T0 + HOUR, {"via": "phone"}, ""))


def resolved() -> Ticket:
    assert PRODUCT is not None
    return done(life.resolve(contacted(), ANA, T0 + 2 * HOUR, PRODUCT, "mended", attempts=0))


@pytest.mark.requirement("R72")
def test_a_plan_follows_the_contact_and_says_when_they_hear_from_us_again() -> None:
    assert isinstance(progress.plan(opened(), ANA, T0, "call", None), Refused)
    assert isinstance(progress.plan(contacted(), ANA, T0 + 2 * HOUR, "  ", None), Refused)
    planned = done(progress.plan(contacted(), ANA, T0 + 2 * HOUR, "a fix by Friday", T0 + 3 * DAY))
    assert planned.planned_at == T0 + 2 * HOUR
    assert [t.due_at for t in timers(planned.run) if t.clock is Clock.FOLLOW_UP] == [T0 + 3 * DAY]


@pytest.mark.parametrize(
    ("at", "allowed"),
    [
        pytest.param(T0 + 2 * HOUR, False, id="now is too soon"),
        pytest.param(T0 + 2 * HOUR + timedelta(seconds=1), True, id="right after"),
        pytest.param(T0 + 2 * HOUR + progress.FURTHEST, True, id="the furthest day"),
        pytest.param(T0 + 2 * HOUR + progress.FURTHEST + timedelta(seconds=1), False, id="beyond it"),
    ],
)
def test_nobody_is_promised_a_word_in_the_past_or_in_a_year(at: datetime, allowed: bool) -> None:
    assert isinstance(progress.plan(contacted(), ANA, T0 + 2 * HOUR, "fix", at), Step) is allowed


@pytest.mark.requirement("R72")
def test_the_owner_is_told_once_when_the_promised_day_has_come() -> None:
    planned = done(progress.plan(contacted(), ANA, T0 + 2 * HOUR, "fix", T0 + DAY))
    assert life.ring(planned, T0 + DAY - timedelta(seconds=1)) == Step(planned)
    rung = life.ring(planned, T0 + DAY)
    assert [tell.occasion for tell in rung.tells] == [Occasion.FOLLOW_UP]
    assert rung.events == ()
    assert life.ring(rung.ticket, T0 + 2 * DAY) == Step(rung.ticket)


def test_a_follow_up_that_was_made_before_its_day_is_not_asked_for() -> None:
    planned = done(progress.plan(contacted(), ANA, T0 + 2 * HOUR, "fix", T0 + DAY))
    called = done(life.contact(planned, BEN, T0 + 3 * HOUR, {}, "all on its way"))
    assert life.ring(called, T0 + DAY) == Step(called)


@pytest.mark.requirement("R72")
def test_the_customer_confirms_once() -> None:
    assert isinstance(progress.confirm(contacted(), ANA, T0), Refused)
    step = progress.confirm(resolved(), None, T0 + DAY)
    assert isinstance(step, Step)
    assert [event.TYPE for event in step.events] == ["ticket.recovered.v1"]
    assert progress.confirm(step.ticket, None, T0 + 2 * DAY) == Step(step.ticket)


@pytest.mark.requirement("R72")
def test_a_no_of_the_customer_opens_the_case_again_and_the_managers_hear_of_it() -> None:
    confirmed = done(progress.confirm(resolved(), None, T0 + DAY))
    step = progress.deny(confirmed, None, T0 + 2 * DAY)
    assert isinstance(step, Step)
    assert (step.ticket.state, step.ticket.confirmed_at) == (TicketState.OPEN, None)
    assert step.ticket.run.contact_due_at == T0 + 3 * DAY
    assert [entry.kind for entry in step.entries] == [Kind.DENIED, Kind.REOPENED]
    (told,) = step.tells
    assert (told.occasion, Audience.MANAGERS in told.audiences) == (Occasion.DENIED, True)
    assert isinstance(progress.deny(step.ticket, None, T0 + 2 * DAY), Refused)


def test_what_was_learned_stands_beside_the_end() -> None:
    assert PRODUCT is not None
    end = life.resolve(contacted(), ANA, T0 + 2 * HOUR, PRODUCT, "mended", attempts=0)
    assert isinstance(end, Step)
    kinds = [(e.kind, e.note) for e in progress.learned(end, "test exports with no rows").entries]
    assert kinds == [(Kind.RESOLVED, "mended"), (Kind.LEARNED, "test exports with no rows")]
    assert progress.learned(end, "  ") == end


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://files.example.com/report.pdf", True),
        (" http://wiki/page ", True),
        ("javascript:alert(1)", False),
        ("https://user:secret@files.example.com/x", False),
        ("https://[bad", False),
        ("https://x.test/a b", False),
        ("https://x.test/" + "a" * progress.MAX_LINK, False),
        ("report.pdf", False),
    ],
)
def test_a_document_is_a_link_that_may_stand_on_a_page(url: str, taken: bool) -> None:
    assert isinstance(progress.link(opened(), ANA, T0, url), Step) is taken


def test_who_watches_is_kept_once_and_disturbs_nobody() -> None:
    watched = progress.watch(opened(), BEN, on=True).ticket
    assert (watched.watchers, watched.edited) == ((BEN,), opened().edited)
    assert progress.watch(watched, BEN, on=True) == Step(watched)
    assert progress.watch(watched, BEN, on=False).ticket.watchers == ()


def act(before: Ticket, step: Step | Refused, action: str, at: datetime, by: UUID = ANA) -> Ticket:
    assert isinstance(step, Step)
    return undoing.remember(before, step, action, by, at).ticket


def test_a_contact_logged_by_mistake_lets_the_clock_run_on() -> None:
    before = opened()
    logged = act(before, life.contact(before, ANA, T0 + 20 * HOUR, {}, ""), "contacted", T0 + 20 * HOUR)
    back = undoing.undo(logged, ANA, T0 + 20 * HOUR + undoing.WITHIN)
    assert isinstance(back, Step)
    assert (back.ticket.state, back.ticket.run.contacted_at) == (TicketState.OPEN, None)
    assert back.ticket.run.contact_due_at == before.run.contact_due_at
    assert [event.TYPE for event in back.events] == ["ticket.reopened.v1"]
    assert back.ticket.version > logged.version
    assert isinstance(undoing.undo(back.ticket, ANA, T0 + 20 * HOUR), Refused)


def test_what_was_told_before_stays_told_after_taking_back() -> None:
    before = life.ring(opened(), T0 + 12 * HOUR).ticket
    logged = act(before, life.contact(before, ANA, T0 + 13 * HOUR, {}, ""), "contacted", T0 + 13 * HOUR)
    back = done(undoing.undo(logged, ANA, T0 + 13 * HOUR))
    assert life.ring(back, T0 + 14 * HOUR) == Step(back)


def test_an_end_is_taken_back_with_its_cause() -> None:
    before = contacted()
    assert PRODUCT is not None
    end = life.resolve(before, ANA, T0 + 2 * HOUR, PRODUCT, "mended", attempts=0)
    back = done(undoing.undo(act(before, end, "resolve", T0 + 2 * HOUR), ANA, T0 + 2 * HOUR))
    assert (back.state, back.ended_at, back.cause, back.how) == (TicketState.CONTACTED, None, "", "")


@pytest.mark.parametrize(
    ("by", "after", "why"),
    [
        pytest.param(BEN, timedelta(), "Only who did it", id="somebody else"),
        pytest.param(ANA, undoing.WITHIN + timedelta(seconds=1), "more than 15 minutes", id="too late"),
    ],
)
def test_only_who_did_it_takes_it_back_and_soon(by: UUID, after: timedelta, why: str) -> None:
    before = opened()
    taken = act(before, life.acknowledge(before, ANA, T0), "acknowledge", T0)
    refused = undoing.undo(taken, by, T0 + after)
    assert isinstance(refused, Refused)
    assert why in refused.why


def test_after_something_else_happened_nothing_is_taken_back() -> None:
    before = opened()
    taken = act(before, life.acknowledge(before, ANA, T0), "acknowledge", T0)
    joined = life.join(taken, answer("r2", contact="bo", at=T0 + HOUR)).ticket
    assert isinstance(undoing.undo(joined, ANA, T0 + timedelta(minutes=1)), Refused)
    noted = life.write(taken, BEN, T0, "hm").ticket
    assert isinstance(undoing.undo(noted, ANA, T0), Step)
