"""Which steps a case has, by programme, product and tier."""

from __future__ import annotations

import pytest

from services.alerts.domain.playbooks import BUILT_IN, Offer, StepState, steps_of
from services.alerts.domain.teams import read_roster
from shared.contracts.model import Tier
from tests.support.alerts import snapshot


@pytest.mark.requirement("R91")
def test_what_keeps_a_customer_is_offered_by_programme_and_tier() -> None:
    key, small = snapshot(tier=Tier.KEY), snapshot(tier=Tier.SMALL)
    kept = steps_of(["renewal-rescue"], key, {})
    assert {one.offer for one in kept if one.offer} == set(Offer)
    assert {one.key for one in kept} - {one.key for one in steps_of(["renewal-rescue"], small, {})} == {
        "executive"
    }
    helped = steps_of(["onboarding-help"], key, {})
    assert {one.offer for one in helped if one.offer} == {Offer.SUCCESS}
    assert steps_of(["nobody-wrote-it", ""], key, {}) == ()


@pytest.mark.requirement("R91")
def test_a_house_writes_its_own_and_a_case_of_two_playbooks_has_each_step_once() -> None:
    read = read_roster(
        """
playbooks:
  renewal-rescue:
    steps:
      - {id: understand, text: Ask why}
      - {id: discount, text: "Offer 15 %", offer: discount, when: {tier: [premium]}}
      - {id: credit, text: Offer a month of exports, offer: loyalty, when: {attributes: {area: [export]}}}
"""
    ).value
    assert read is not None

    def keys(*names: str, tier: Tier, area: str = "") -> list[str]:
        case = snapshot(tier=tier, context={"area": area})
        return [one.key for one in steps_of(names, case, read.playbooks)]

    assert keys("renewal-rescue", tier=Tier.PREMIUM) == ["understand", "discount"]
    assert keys("renewal-rescue", tier=Tier.SMALL, area="export") == ["understand", "credit"]
    assert keys("renewal-rescue", "onboarding-help", tier=Tier.SMALL) == ["understand", "session", "success"]


@pytest.mark.parametrize(
    "text",
    [
        "playbooks: {a: {steps: []}}",
        "playbooks: {a: {steps: [{id: x, text: one}, {id: x, text: two}]}}",
        "playbooks: {a: {steps: [{id: x, text: one, offer: bribe}]}}",
    ],
)
def test_a_playbook_that_cannot_be_used_is_refused_with_its_place(text: str) -> None:
    checked = read_roster(text)
    assert checked.value is None
    assert checked.complaints[0].path.startswith("playbooks.a")


def test_an_offer_is_taken_or_refused_and_a_step_is_done() -> None:
    steps = steps_of(["renewal-rescue"], snapshot(), {})
    assert {one.key for one in steps if StepState.TAKEN in one.states} == {"discount", "loyalty", "success"}
    for one in steps:
        assert (StepState.DONE in one.states) == (one.offer is None)
        assert StepState.OPEN in one.states


def test_every_playbook_that_is_built_in_begins_with_listening() -> None:
    assert {rule.steps[0].id for rule in BUILT_IN.values()} == {"understand"}
