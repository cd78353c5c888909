"""Counting touchpoints, series, asks by hand: what the moment of a programme may be besides one event."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.trigger.domain.audience import Person
from services.trigger.domain.book import Book, World
from services.trigger.domain.decisions import Occurrence
from services.trigger.domain.expanding import expand
from services.trigger.domain.model import Account, Contact, Decision, Plan, PlanState, identity
from services.trigger.domain.planning import plan_surveys
from services.trigger.domain.programme import Edition
from services.trigger.domain.series import begin_series, following
from services.trigger.domain.timing import add_span
from shared.contracts.programmes import ProgrammeState
from shared.contracts.reasons import Outcome, Reason
from shared.contracts.touchpoints import Touchpoint
from tests.support.changed import replace
from tests.unit.trigger.support import ACME, ANNA, NOW, ORGANISATION, crowd, edition, touchpoint

QUARTER = {
    "key": "quarterly",
    "family": "relationship",
    "when": {"every": "3mo", "anchor": "account.start", "until": ["account.churned"], "per": "account",
             "fresh_for": "21d"},
    "audience": {"who": "account"},
}  # fmt: skip
PROJECT: dict[str, Any] = {
    "key": "progress",
    "when": {"every": "1mo", "anchor": "project.started", "until": ["project.completed"], "per": "project",
             "fresh_for": "10d"},
}  # fmt: skip
P1 = {"kind": "project", "id": "p1"}


def happened(kind: str, told: Touchpoint, *people: Contact, account: Account | None = ACME) -> Occurrence:
    return Occurrence(kind, "e", told, account, tuple(Person(contact) for contact in people))


def run(book: Book, event: Occurrence, of: Edition, now: datetime = NOW) -> list[Decision]:
    return plan_surveys(event, World((of,), ORGANISATION, now), book)


def outcomes(found: list[Decision]) -> list[tuple[str, str]]:
    return [(d.outcome.value, str(d.reason or "")) for d in found]


# --- the n-th -----------------------------------------------------------------------------------------


def test_only_the_nth_touchpoint_of_a_subject_is_asked_about() -> None:
    of = edition(when={"touchpoint": "transaction.completed", "per": "contact", "nth": 3, "fresh_for": "3d"})
    book, bob = Book(), replace(ANNA, id=identity("contact", "bob"))
    told = touchpoint()
    for contact, expected in [
        (ANNA, "filtered"),
        (bob, "filtered"),
        (ANNA, "filtered"),
        (ANNA, ""),
        (ANNA, "filtered"),
    ]:
        (decision,) = run(book, happened("transaction.completed", told, contact), of)
        assert str(decision.reason or "") == expected
    (plan,) = book.plans.values()
    assert plan.contact_id == ANNA.id


def test_what_does_not_meet_the_conditions_or_has_not_happened_is_not_counted() -> None:
    of = edition(
        when={"touchpoint": "t.x", "per": "account", "nth": 2, "where": {"plan": "pro"}, "fresh_for": "3d"}
    )
    book = Book()
    free, pro = touchpoint(context={"plan": "free"}), touchpoint(context={"plan": "pro"})
    assert outcomes(run(book, happened("t.x", free, ANNA), of)) == [("not_matched", "filtered")]
    future = touchpoint(NOW + timedelta(days=1), context={"plan": "pro"})
    run(book, happened("t.x", future, ANNA), of)
    assert outcomes(run(book, happened("t.x", pro, ANNA), of)) == [("not_matched", "filtered")]
    assert outcomes(run(book, happened("t.x", pro, ANNA), of)) == [("planned", "")]


@given(st.integers(1, 5), st.integers(0, 12))
def test_of_many_touchpoints_exactly_one_is_the_nth(nth: int, events: int) -> None:
    of = edition(when={"touchpoint": "t.x", "per": "contact", "nth": nth, "fresh_for": "3d"})
    book = Book()
    for _ in range(events):
        run(book, happened("t.x", touchpoint(), ANNA), of)
    assert len(book.plans) == (1 if events >= nth else 0)


# --- series from an event -----------------------------------------------------------------------------


def begun(of: Edition, at: datetime = NOW, *, now: datetime = NOW) -> tuple[Book, Plan]:
    book = Book()
    run(book, happened("project.started", touchpoint(at, subject=P1), ANNA), of, now)
    (plan,) = book.plans.values()
    return book, plan


def then(plan: Plan, of: Edition, now: datetime | None = None) -> Plan | None:
    world = World((of,), ORGANISATION, now or plan.due_at)
    return following(plan, of, ANNA, ACME, world)


@pytest.mark.requirement("R31")
def test_a_series_counts_from_its_anchor_and_plans_one_ahead() -> None:
    of = edition(**PROJECT)
    _, plan = begun(of)
    assert plan.due_at == datetime(2026, 4, 3, 9, 0, tzinfo=UTC)  # 11:00 in Stockholm, now in summer time
    second = then(plan, of)
    assert second is not None
    assert (second.occurrence, second.due_at) == (2, datetime(2026, 5, 3, 9, 0, tzinfo=UTC))
    assert second.id != plan.id
    assert then(plan, of) == second


def test_a_series_heard_twice_is_one_and_its_end_calls_it_off() -> None:
    of = edition(**PROJECT)
    book, plan = begun(of)
    again = happened("project.started", touchpoint(subject=P1), ANNA)
    assert outcomes(run(book, again, of)) == [("not_matched", "duplicate")]
    ended = happened("project.completed", touchpoint(NOW + timedelta(days=9), subject=P1), ANNA)
    assert outcomes(run(book, ended, of, NOW + timedelta(days=9))) == [("cancelled", "cancelled")]
    assert book.plans[plan.id].state is PlanState.CANCELLED
    restarted = happened("project.started", touchpoint(NOW + timedelta(days=40), subject=P1), ANNA)
    assert outcomes(run(book, restarted, of, NOW + timedelta(days=40))) == [("planned", "")]
    assert sorted(p.occurrence for p in book.plans.values()) == [1, 2]


def test_an_old_anchor_begins_with_the_next_time_and_a_long_stop_skips_what_is_over() -> None:
    of = edition(**PROJECT)
    _, plan = begun(of, datetime(2020, 3, 3, 9, 0, tzinfo=UTC))
    assert NOW - timedelta(days=10) < plan.due_at <= NOW + timedelta(days=31)
    late = then(plan, of, plan.due_at + timedelta(days=200))
    assert late is not None
    assert late.stale_at > plan.due_at + timedelta(days=200) >= late.due_at - timedelta(days=31)


def test_an_archived_programme_plans_nothing_ahead() -> None:
    of = edition(**PROJECT)
    _, plan = begun(of)
    assert then(plan, replace(of, state=ProgrammeState.ARCHIVED)) is None
    assert then(plan, edition(key="progress")) is None


@given(
    st.sampled_from(["1mo", "3mo", "6mo", "1y", "14d", "30d"]),
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - made aware below
    st.sampled_from(["Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]),
)
def test_a_series_is_never_early_and_never_twice_in_a_period(every: str, at: datetime, zone: str) -> None:
    start = at.replace(tzinfo=UTC)
    of = edition(**{**PROJECT, "when": {**PROJECT["when"], "every": every}})
    anna = replace(ANNA, zone=zone)
    book = Book()
    run(book, happened("project.started", touchpoint(start, subject=P1), anna), of, start)
    (plan,) = book.plans.values()
    span = of.programme.when.every
    for number in range(1, 6):
        longest = add_span(
            start, span._replace(months=span.months * number, days=span.days * number), ZoneInfo(zone)
        )
        assert plan.due_at == longest
        world = World((of,), ORGANISATION, plan.due_at)
        ahead = following(plan, of, anna, ACME, world)
        assert ahead is not None
        assert ahead.due_at > plan.due_at
        plan = ahead


# --- series from an account's start -------------------------------------------------------------------


def seeded(
    of: Edition, account: Account, book: Book | None = None, now: datetime = NOW
) -> tuple[Book, list[Decision]]:
    book = book or Book()
    return book, list(begin_series([account], World((of,), ORGANISATION, now), book))


@pytest.mark.requirement("R14", "R53")
def test_people_of_an_account_are_spread_over_the_period_each_on_their_own_day() -> None:
    of = edition(**QUARTER)
    book, found = seeded(of, replace(ACME, started_on=date(2025, 1, 15)))
    assert outcomes(found) == [("planned", "")]
    (parent,) = book.plans.values()
    assert parent.due_at <= datetime(2026, 1, 15, 0, 0, tzinfo=UTC) < parent.stale_at
    ahead = following(parent, of, None, ACME, World((of,), ORGANISATION, NOW))
    assert ahead is not None
    people = [Contact(id=identity("c", n), version=1, zone="Europe/Stockholm") for n in range(300)]
    plans = [plan for plan, _ in expand(ahead, of, crowd(*people), ORGANISATION, ahead.due_at) if plan]
    days = {plan.due_at.date() for plan in plans}
    first, last = date(2026, 4, 15), date(2026, 7, 14)
    assert len(plans) == 300
    assert min(days) >= first
    assert max(days) <= last
    assert len(days) > 60
    later = following(ahead, of, None, ACME, World((of,), ORGANISATION, ahead.due_at))
    assert later is not None
    again = [plan for plan, _ in expand(later, of, crowd(*people), ORGANISATION, later.due_at) if plan]
    gaps = {p.contact_id: p.due_at for p in plans}
    assert all(timedelta(days=88) <= p.due_at - gaps[p.contact_id] <= timedelta(days=95) for p in again)


def test_those_whose_day_is_long_over_wait_for_the_next_period() -> None:
    of = edition(**QUARTER)
    book, _ = seeded(of, replace(ACME, started_on=date(2025, 1, 1)))
    (parent,) = book.plans.values()
    people = [Contact(id=identity("c", n), version=1) for n in range(50)]
    found = list(expand(parent, of, crowd(*people), ORGANISATION, NOW))
    assert {d.reason for plan, d in found if plan is None} == {Reason.EXPIRED}
    assert all(plan.stale_at > NOW for plan, _ in found if plan)


def test_accounts_without_a_start_are_spread_and_a_start_told_later_moves_the_plan() -> None:
    of = edition(**QUARTER)
    accounts = [Account(id=identity("a", n), version=1) for n in range(60)]
    dues = set()
    for account in accounts:
        book, _ = seeded(of, account)
        dues |= {plan.due_at.date() for plan in book.plans.values()}
    assert len(dues) > 30
    book, _ = seeded(of, accounts[0])
    _, moved = seeded(of, replace(accounts[0], started_on=date(2026, 2, 1)), book)
    assert outcomes(moved) == [("planned", "superseded")]
    assert len(book.plans) == 1
    assert outcomes(seeded(of, replace(accounts[0], started_on=date(2026, 2, 1)), book)[1]) == []


def test_a_series_that_was_ended_stays_ended_until_the_account_starts_anew() -> None:
    of = edition(**QUARTER)
    account = replace(ACME, started_on=date(2025, 1, 15))
    book, _ = seeded(of, account)
    run(book, happened("account.churned", touchpoint(), account=account), of)
    assert seeded(of, account, book)[1] == []
    back = replace(account, started_on=date(2026, 3, 1))
    assert outcomes(seeded(of, back, book)[1]) == [("planned", "")]
    assert sorted(plan.occurrence for plan in book.plans.values()) == [1, 2]


# --- by hand ------------------------------------------------------------------------------------------


def test_by_hand_asks_whoever_is_named_of_the_programme_that_is_named() -> None:
    of, book = edition(when={"on": "manual", "fresh_for": "7d"}), Book()
    told = touchpoint(context={"programme": of.key, "by": "Rita"})
    assert outcomes(run(book, happened("ask.requested", told, ANNA), of)) == [("planned", "")]
    assert outcomes(run(book, happened("ask.requested", told, ANNA), of)) == [("not_matched", "duplicate")]
    other = touchpoint(context={"programme": "another"})
    assert outcomes(run(book, happened("ask.requested", other, ANNA), of)) == [("not_matched", "not_matched")]
    (plan,) = book.plans.values()
    book.put(replace(plan, state=PlanState.REQUESTED))
    assert outcomes(run(book, happened("ask.requested", told, ANNA), of)) == [("planned", "")]
    assert sorted(p.occurrence for p in book.plans.values()) == [1, 2]


# --- what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ({"fresh_for": "3d"}, "write one of"),
        ({"touchpoint": "a.b", "on": "manual", "fresh_for": "3d"}, "write one of"),
        ({"on": "manual", "nth": 2, "fresh_for": "3d"}, "nth belongs to touchpoint"),
        ({"on": "manual", "delay": "2d", "fresh_for": "3d"}, "delay belongs to touchpoint"),
        ({"every": "3mo", "fresh_for": "3d"}, "every needs an anchor"),
        ({"every": "5h", "anchor": "a.b", "fresh_for": "3h"}, "hours are no calendar"),
        ({"every": "1mo", "anchor": "a.b", "fresh_for": "30d"}, "shorter than every"),
        ({"every": "3mo", "anchor": "account.start", "fresh_for": "9d"}, "per: account"),
        ({"every": "3mo", "anchor": "account.start", "per": "account", "where": {"a": 1}, "fresh_for": "9d"},
         "where speaks of events"),
        ({"touchpoint": "a.b", "until": ["c.d"], "fresh_for": "9d"}, "belong to every"),
        ({"touchpoint": "a.b", "hold_while": ["lunch"], "fresh_for": "9d"}, "'lunch' has no events"),
        ({"touchpoint": "a.b", "hold_while": [{"name": "incident", "from": "x.y", "until": "y.z"}],
          "fresh_for": "9d"}, "built in"),
        ({"touchpoint": "a.b", "hold_while": [{"name": "odd", "from": "x.y", "until": "x.y"}],
          "fresh_for": "9d"}, "both begins and ends"),
    ],
)  # fmt: skip
def test_moments_that_cannot_be_are_refused(when: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        edition(when=when)


def test_planned_decisions_carry_when() -> None:
    book, found = seeded(edition(**QUARTER), ACME)
    (plan,) = book.plans.values()
    assert (found[0].outcome, found[0].until) == (Outcome.PLANNED, plan.due_at)
