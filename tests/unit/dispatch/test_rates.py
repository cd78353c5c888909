"""Where a response rate stands, both sides of each threshold; what comes first."""

from __future__ import annotations

import pytest

from services.dispatch.domain.rates import Rate, Standing, Thresholds, judged, total


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


def test_those_below_the_floor_come_first_and_small_numbers_alarm_nobody() -> None:
    found = judged(
        [
            Rate("good", sent=100, answered=60),
            Rate("idle"),
            Rate("few", sent=19),
            Rate("enough", sent=20, answered=3),
            Rate("worst", sent=400, answered=4),
            Rate("decent", sent=10, answered=2),
        ],
        Thresholds(),
    )
    assert [one.rate.name for one in found] == ["worst", "enough", "few", "decent", "good", "idle"]
    assert [one.rate.name for one in found if one.alarming] == ["worst", "enough"]
    assert [one.rate.name for one in found if one.rate.few] == ["few", "decent", "idle"]
    assert (found[-1].rate.share, found[0].rate.share) == (None, 0.01)


def test_a_total_adds_every_sum() -> None:
    one = Rate("a", *range(1, 11))
    assert total([one, one]) == Rate("", *range(2, 22, 2))
    assert total([]) == Rate()
