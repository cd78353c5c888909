"""Groups of programmes: one objective, others beside it, and a goal that can be measured by a day."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from services.scoring.domain.goals import EVENTS
from services.scoring.domain.histogram import Metric
from services.trigger.domain.groups import Aimed, Group, Objective

GOAL = {"metric": "renewals", "change": "+10%", "baseline": "1y", "by": "2027-12-31"}


def group(**changes: Any) -> Group:
    return Group.model_validate({"title": {"en": "Keep"}, "objective": "churn", "goal": GOAL} | changes)


@pytest.mark.requirement("R85")
def test_a_group_has_one_objective_of_five_and_others_beside_it() -> None:
    assert {one.value for one in Objective} == {"perception", "experience", "churn", "upsell", "referral"}
    both = group(secondary=["upsell", "referral"])
    assert (both.objective, both.secondary) == (Objective.CHURN, (Objective.UPSELL, Objective.REFERRAL))
    with pytest.raises(ValidationError, match="churn is the primary objective already"):
        group(secondary=["upsell", "churn"])
    with pytest.raises(ValidationError, match="objective"):
        group(objective=["churn", "upsell"])
    with pytest.raises(ValidationError, match="objective"):
        group(objective="growth")


@pytest.mark.requirement("R86")
@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"metric": "happiness"}, id="cannot be measured"),
        pytest.param({"change": "a lot"}, id="no amount"),
        pytest.param({"change": "10%"}, id="neither up nor down"),
        pytest.param({"baseline": "once"}, id="no span to compare with"),
        pytest.param({"by": "soon"}, id="no day"),
    ],
)
def test_a_goal_says_what_by_how_much_against_what_and_by_when(wrong: dict[str, str]) -> None:
    assert group().goal
    with pytest.raises(ValidationError, match=f"goal.{next(iter(wrong))}"):
        group(goal=GOAL | wrong)
    with pytest.raises(ValidationError, match=f"goal.{next(iter(wrong))}"):
        group(goal={name: value for name, value in GOAL.items() if name not in wrong})


@pytest.mark.requirement("R86")
def test_what_a_goal_may_be_about_is_what_scoring_measures() -> None:
    assert {one.value for one in Aimed} == {one.value for one in Metric} | set(EVENTS)
