"""What a budget leaves goes by importance, then to whom coverage wants, then by turns (R59, R63)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trigger.domain import gate
from services.trigger.domain.audience import Person
from services.trigger.domain.book import Book, World
from services.trigger.domain.decisions import Occurrence
from services.trigger.domain.model import Ask, Contact, Plan, identity
from services.trigger.domain.planning import plan_surveys
from services.trigger.domain.programme import Edition
from services.trigger.domain.turns import in_turn
from shared.contracts.model import Persona
from shared.contracts.reasons import Outcome
from tests.support.changed import replace
from tests.unit.trigger.support import ACME, ANNA, NOW, ORGANISATION, ask, edition, facts, plan, touchpoint

DAY = timedelta(days=1)
BOTH = edition(
    when__per="account",
    audience={"who": "account", "coverage": {"decision_maker": 1, "user": 1}},
    quarantine={"contact": "1d", "account": {"max": 2, "per": "30d"}},
)
PLAIN = edition(quarantine={"contact": "1d", "account": {"max": 1, "per": "30d"}})
pytestmark = pytest.mark.requirement("R59", "R63")


def somebody(number: int, persona: Persona = Persona.USER) -> Contact:
    return replace(ANNA, id=identity("contact", number), persona=persona, account_id=ACME.id)


def planned(of: Edition, who: Contact, **changes: object) -> Plan:
    return replace(plan(of), id=identity("plan", who.id), contact_id=who.id, **changes)


def passed(of: Edition, plans: list[Plan], people: list[Contact], asks: Sequence[Ask] = ()) -> list[UUID]:
    """Who is asked when all come due at once, as the due loop does it."""
    known = facts(contacts={one.id: one for one in people}, asks=asks)
    chosen: list[UUID] = []
    for one in in_turn(plans, lambda _: of, known):
        if gate.decide(one, of, known).outcome is Outcome.REQUESTED:
            assert one.contact_id is not None
            chosen.append(one.contact_id)
            known.asks.add(replace(ask(0), survey_id=one.id, contact_id=one.contact_id, asked_at=NOW))
    return chosen


def test_a_budget_for_two_asks_a_decision_maker_and_a_user() -> None:
    users = [somebody(number) for number in range(5)]
    boss = somebody(9, Persona.DECISION_MAKER)
    chosen = passed(BOTH, [planned(BOTH, one) for one in [*users, boss]], [*users, boss])
    assert len(chosen) == 2
    assert boss.id in chosen


def test_whoever_was_asked_longest_ago_has_the_place() -> None:
    people = [somebody(number) for number in range(3)]
    asks = [
        replace(ask(0), survey_id=UUID(int=n), contact_id=one.id, asked_at=NOW - (40 + n) * DAY)
        for n, one in enumerate(people)
    ]
    assert passed(PLAIN, [planned(PLAIN, one) for one in people], people, asks) == [people[2].id]


def test_the_more_important_goes_first_whoevers_turn_it_is() -> None:
    first, second = somebody(1), somebody(2)
    plans = [planned(PLAIN, first), planned(PLAIN, second, priority=90)]
    assert passed(PLAIN, plans, [first, second]) == [second.id]


@given(st.integers(2, 6), st.integers(2, 8))
def test_nobody_has_a_second_turn_before_all_had_their_first(people: int, rounds: int) -> None:
    folk = [somebody(number) for number in range(people)]
    asks: list[Ask] = []
    had: list[UUID] = []
    for round_ in range(rounds):
        at = NOW + round_ * 31 * DAY
        known = facts(now=at, contacts={one.id: one for one in folk}, asks=asks)
        plans = [planned(PLAIN, one, stale_at=at + DAY, due_at=at) for one in folk]
        ordered = in_turn(plans, lambda _: PLAIN, known)
        chosen = next(p for p in ordered if gate.decide(p, PLAIN, known).outcome is Outcome.REQUESTED)
        assert chosen.contact_id is not None
        had.append(chosen.contact_id)
        asks.append(replace(ask(0), survey_id=UUID(int=round_), contact_id=chosen.contact_id, asked_at=at))
    counts = [had.count(one.id) for one in folk]
    assert max(counts) - min(counts) <= 1


def test_people_named_in_events_take_turns_too() -> None:
    of = edition(audience__max_per_account=1)
    folk = [somebody(number) for number in range(3)]
    asked = {folk[0].id: NOW - DAY, folk[1].id: NOW - 2 * DAY}
    event = Occurrence("order.delivered", "e", touchpoint(), ACME, tuple(Person(one) for one in folk))
    book = Book()
    plan_surveys(event, World([of], ORGANISATION, NOW, asked=asked), book)
    assert [one.contact_id for one in book.changed.values()] == [folk[2].id]
