"""The rules by which accounts of one company become one."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trigger.domain.merging_accounts import departed, settle, subjects_of, survivor_of, united
from services.trigger.domain.model import Account, Plan, PlanState, plan_id
from shared.contracts.model import Tier
from tests.support.changed import replace
from tests.unit.trigger.support import ACME, ANNA, NOW, edition, plan

pytestmark = pytest.mark.requirement("R53")
OTHER, THIRD = (Account(id=UUID(int=n), version=1, external_id=f"a{n}") for n in (8, 9))
DELIVERY = edition()
WHO = [None, ANNA.id]


def made(home: UUID, who: UUID | None, kind: int, state: PlanState, hours: int) -> Plan:
    subject = (*subjects_of(home), "order:o1")[kind]
    return plan(
        DELIVERY,
        id=plan_id(DELIVERY.key, subject, 1, who),
        subject=subject,
        contact_id=who,
        account_id=home,
        state=state,
        first_due_at=NOW + timedelta(hours=hours),
    )


def test_which_stays_is_the_first_that_is_known_and_not_deleted() -> None:
    new, gone = Account(id=UUID(int=1)), replace(THIRD, deleted_at=NOW)
    assert survivor_of([new, ACME, OTHER]) == ACME
    assert survivor_of([gone, OTHER]) == OTHER
    assert survivor_of([gone]) == gone


def test_what_one_lacks_the_other_gives_and_a_brake_holds_for_both() -> None:
    rich = replace(OTHER, name="Other", tier=Tier.KEY, annual_value=5.0, acquisition_cost=7.0, paused=True)
    found = united(replace(THIRD, name="Third", annual_value=0.0), [rich])
    assert (found.name, found.tier, found.annual_value, found.paused) == ("Third", Tier.KEY, 0.0, True)
    assert found.acquisition_cost == 7.0
    left = departed(rich, found)
    assert (left.merged_into, left.version, left.paused) == (THIRD.id, 2, True)


plans_of = st.lists(
    st.builds(
        made,
        st.sampled_from([ACME.id, OTHER.id]),
        st.sampled_from(WHO),
        st.integers(0, 2),
        st.sampled_from([PlanState.PENDING, PlanState.REQUESTED, PlanState.EXPANDED, PlanState.SUPPRESSED]),
        st.integers(0, 3),
    ),
    max_size=6,
    unique_by=lambda one: one.id,
)


@given(plans_of)
def test_after_a_merge_nothing_about_the_company_waits_twice_and_none_that_was_asked(
    plans: list[Plan],
) -> None:
    found = settle(plans, ACME.id, [OTHER.id], ()).moved
    assert {one.account_id for one in found} <= {ACME.id}
    assert {one.id for one in found} == {one.id for one in plans}, "identities stay"
    waiting = [(one.subject, one.contact_id) for one in found if one.state is PlanState.PENDING]
    done = {PlanState.REQUESTED, PlanState.EXPANDED}
    asked = {(one.subject, one.contact_id) for one in found if one.state in done}
    own = [key for key in waiting if key[0] in subjects_of(ACME.id)]
    assert len(own) == len(set(own))
    assert not asked & set(own)
    led = dict(zip(subjects_of(OTHER.id), subjects_of(ACME.id), strict=True))
    before = {(led.get(p.subject, p.subject), p.contact_id) for p in plans if p.state is PlanState.PENDING}
    assert before <= set(waiting) | asked, "nothing is lost"


def test_of_two_series_the_plan_that_is_due_first_goes_on() -> None:
    soon = made(OTHER.id, None, 0, PlanState.PENDING, 1)
    late = made(ACME.id, None, 0, PlanState.PENDING, 9)
    found = settle([late, soon], ACME.id, [OTHER.id], {DELIVERY.key})
    assert [one.id for one in found.doubled] == [late.id]
