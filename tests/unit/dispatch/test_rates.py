"""Where a response rate stands, both sides of each threshold."""

from __future__ import annotations

import pytest

from services.dispatch.domain.rates import Standing, Thresholds


@pytest.mark.requirement("R58")
@pytest.mark.parametrize(
    ("sent", "answered", "standing"),
    [
        (0, 0, Standing.NONE),
        (100, 19, Standing.BELOW),
        (100, 20, Standing.DECENT),
        (100, 49, Standing.DECENT),
        (100, 50, Standing.TARGET),
        (1, 1, Standing.TARGET),
    ],
)
def test_where_a_rate_stands(sent: int, answered: int, standing: Standing) -> None:
    assert Thresholds().standing(sent, answered) is standing
