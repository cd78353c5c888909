"""How a score that fell is said in a mail."""

from __future__ import annotations

import pytest

from services.alerts.domain.findings import of_drop
from shared.contracts.scores import ScoreDropped
from tests.support.alerts import T0


@pytest.mark.requirement("R5", "R68")
@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("nps", "survey, NPS: -12 in the last 30 days, +25 in the 90 before (40 and 120 answers)"),
        ("csat", "survey, satisfaction: 48 % in the last 30 days, 82 % in the 90 before"),
        ("ces", "survey, ease: easy for 48 % in the last 30 days, easy for 82 % in the 90 before"),
    ],
)
def test_a_fall_is_said_on_the_scale_of_its_score(metric: str, said: str) -> None:
    before, after = (25.0, -12.0) if metric == "nps" else (82.0, 48.0)
    fell = ScoreDropped(
        cell=f"{metric}/transactional/survey", metric=metric, before=before, after=after, n_before=120,
        n_after=40, programme="survey", low=-50, high=-8, chance=0.002, happened=(), at=T0,
    )  # fmt: skip
    assert of_drop(fell).told.startswith(said)
