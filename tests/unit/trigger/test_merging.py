"""Two entries of one person: what stays, and that nothing is asked twice (R53, R59)."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trigger.domain.consent import Standing
from services.trigger.domain.explain import sentence
from services.trigger.domain.merging import (
    departed,
    lines,
    settle,
    survivor_of,
    united,
    united_person,
)
from services.trigger.domain.model import Contact, Plan, PlanState, identity, plan_id
from shared.contracts.directory import Consent
from shared.contracts.model import Person, Persona
from shared.contracts.reasons import Outcome, Reason
from tests.support.changed import replace
from tests.unit.trigger.support import ACME, ANNA, NOW, edition, plan

pytestmark = pytest.mark.requirement("R53")
OTHER = replace(ANNA, id=identity("contact", "anna twice"), version=3, external_id="c2", zone="")
THIRD = replace(ANNA, id=identity("contact", "anna thrice"))
DELIVERY = edition()
STATES = st.sampled_from([PlanState.PENDING, PlanState.REQUESTED, PlanState.SUPPRESSED])


def made(who: UUID, subject: str = "order:o1", state: PlanState = PlanState.PENDING, hours: int = 0) -> Plan:
    return plan(
        DELIVERY,
        id=plan_id(DELIVERY.key, subject, 1, who),
        subject=subject,
        contact_id=who,
        state=state,
        first_due_at=NOW + timedelta(hours=hours),
    )


def states(plans: tuple[Plan, ...]) -> list[str]:
    return sorted(one.state for one in plans)


def test_who_stays_is_the_first_who_is_known_and_not_erased() -> None:
    new, gone = Contact(id=UUID(int=1)), replace(THIRD, erased_at=NOW)
    assert survivor_of([new, ANNA, OTHER]) == ANNA
    assert survivor_of([gone, OTHER]) == OTHER
    assert survivor_of([new, gone]) == new
    assert survivor_of([gone]) == gone


def test_what_one_lacks_the_other_gives_and_an_opt_out_holds_for_both() -> None:
    poor = replace(ANNA, zone="", persona=None)
    rich = replace(OTHER, persona=Persona.USER, account_id=ACME.id, zone="Europe/Oslo", known_at=NOW)
    stands = Standing(Consent.WITHDRAWN, NOW, ("delivery-csat",))
    found = united(poor, [rich], stands)
    assert (found.zone, found.persona, found.account_id) == ("Europe/Oslo", Persona.USER, ACME.id)
    assert (found.consent, found.opted_out_at, found.opted_out_of) == (
        Consent.WITHDRAWN,
        NOW,
        ("delivery-csat",),
    )
    left = departed(rich, found)
    assert (left.merged_into, left.version, left.opted_out_at) == (poor.id, rich.version + 1, NOW)
    assert united(ANNA, [rich], Standing()).zone == "Europe/Stockholm"
    names = united_person(Person(email="a@x.example"), [Person(name="Anna", email="b@x.example")])
    assert names == Person(name="Anna", email="a@x.example")


@pytest.mark.parametrize(
    ("plans", "expected"),
    [
        pytest.param([made(ANNA.id), made(OTHER.id)], ["cancelled", "pending"], id="both wait"),
        pytest.param(
            [made(ANNA.id, state=PlanState.REQUESTED), made(OTHER.id)],
            ["cancelled", "requested"],
            id="one was asked",
        ),
        pytest.param(
            [made(ANNA.id, state=PlanState.SUPPRESSED), made(OTHER.id)],
            ["pending", "suppressed"],
            id="one was left alone",
        ),
        pytest.param([made(ANNA.id), made(OTHER.id, "order:o2")], ["pending", "pending"], id="two things"),
        pytest.param(
            [made(ANNA.id, f"contact:{ANNA.id}"), made(OTHER.id, f"contact:{OTHER.id}")],
            ["cancelled", "pending"],
            id="what is counted per person",
        ),
    ],
)
def test_nothing_is_asked_twice(plans: list[Plan], expected: list[str]) -> None:
    found = settle(plans, ANNA.id, [OTHER.id], ())
    assert states(found.moved) == expected
    assert {one.contact_id for one in found.moved} == {ANNA.id}
    assert {one.id for one in found.moved} == {one.id for one in plans}, "identities stay"
    assert all(one.reason is Reason.MERGED for one in found.doubled)


def test_a_series_keeps_the_plan_ahead_although_its_last_one_was_asked() -> None:
    asked = made(ANNA.id, f"contact:{ANNA.id}", PlanState.REQUESTED)
    ahead = made(OTHER.id, f"contact:{OTHER.id}", hours=5)
    later = replace(made(ANNA.id, f"contact:{ANNA.id}", hours=9), id=UUID(int=9), occurrence=2)
    found = settle([asked, ahead, later], ANNA.id, [OTHER.id], {DELIVERY.key})
    assert states(found.moved) == ["cancelled", "pending", "requested"]
    assert [one.id for one in found.doubled] == [later.id], "the one that is due first stays"


plans_of = st.lists(
    st.builds(
        made,
        st.sampled_from([ANNA.id, OTHER.id, THIRD.id]),
        st.sampled_from(["order:o1", "order:o2"]),
        STATES,
        st.integers(0, 3),
    ),
    max_size=6,
    unique_by=lambda one: one.id,
)


@given(plans_of)
def test_the_order_of_merges_does_not_matter(plans: list[Plan]) -> None:
    outcomes = set()
    for order in permutations([OTHER.id, THIRD.id]):
        found = tuple(plans)
        for gone in order:
            mine = [one for one in found if one.contact_id in {ANNA.id, gone}]
            moved = {one.id: one for one in settle(mine, ANNA.id, [gone], ()).moved}
            found = tuple(moved.get(one.id, one) for one in found)
        outcomes.add(tuple(sorted((str(one.id), one.state) for one in found)))
    at_once = settle(plans, ANNA.id, [OTHER.id, THIRD.id], ()).moved
    outcomes.add(tuple(sorted((str(one.id), one.state) for one in at_once)))
    assert len(outcomes) == 1


@given(plans_of)
def test_after_a_merge_no_thing_waits_twice_and_none_that_was_asked_waits(plans: list[Plan]) -> None:
    found = settle(plans, ANNA.id, [OTHER.id, THIRD.id], ()).moved
    waiting = [one.subject for one in found if one.state is PlanState.PENDING]
    asked = {one.subject for one in found if one.state is PlanState.REQUESTED}
    assert len(waiting) == len(set(waiting))
    assert not asked & set(waiting)
    before = {one.subject for one in plans if one.state is PlanState.PENDING}
    assert before <= set(waiting) | asked, "nothing is lost"


def test_the_ledger_says_who_stays_and_what_was_called_off() -> None:
    found = settle([made(ANNA.id), made(OTHER.id)], ANNA.id, [OTHER.id], ())
    told = lines(ANNA.id, [OTHER.id], found, "user:1")
    assert [(one.outcome, one.contact_id) for one in told] == [
        (Outcome.NOT_MATCHED, OTHER.id),
        (Outcome.CANCELLED, ANNA.id),
    ]
    assert "one person" in sentence(told[0])
    assert "called off: 1; merged by user:1" in sentence(told[0])
    assert told[0].inputs["stays"] == str(ANNA.id)
