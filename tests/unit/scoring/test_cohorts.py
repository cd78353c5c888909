from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.cohorts import arrival, cohorts
from services.scoring.domain.rates import Asked

MONDAY = date(2026, 3, 2)
WAITS = {0: 10, 1: 10, 5: 10, 20: 10}


@pytest.mark.requirement("R57")
def test_a_young_cohort_says_how_much_is_still_to_come() -> None:
    found = cohorts({MONDAY: Asked(100, 100, 12, 0)}, WAITS, MONDAY + timedelta(days=1))
    (young,) = found
    assert young.arrived == 0.5
    assert young.rate.value == 0.12
    assert young.expected == pytest.approx(0.24)
    assert not young.complete
    (old,) = cohorts({MONDAY: Asked(100, 100, 24, 0)}, WAITS, MONDAY + timedelta(days=21))
    assert (old.arrived, old.complete) == (1, True)
    assert old.expected == pytest.approx(0.24)


def test_days_of_a_week_are_one_cohort_and_wait_each_by_itself() -> None:
    asked = {MONDAY: Asked(10, 10, 1, 0), MONDAY + timedelta(days=6): Asked(30, 30, 1, 0)}
    (week,) = cohorts(asked, WAITS, MONDAY + timedelta(days=6))
    # Ten have waited six days (three quarters come), thirty none (a quarter).
    assert week.arrived == pytest.approx((10 * 0.75 + 30 * 0.25) / 40)


def test_nothing_is_expected_where_nothing_was_learned() -> None:
    assert arrival({0: 19}) is None
    young, old = cohorts(
        {MONDAY: Asked(9, 9, 1, 0), MONDAY - timedelta(days=70): Asked(9, 9, 3, 0)},
        {},
        MONDAY + timedelta(days=2),
    )[::-1]
    assert (young.arrived, young.expected, young.complete) == (None, None, False)
    assert (old.arrived, old.complete) == (1, True)


@given(st.dictionaries(st.integers(0, 60), st.integers(0, 50)))
def test_answers_only_ever_arrive(waits: dict[int, int]) -> None:
    shares = arrival(waits)
    if shares is not None:
        assert list(shares) == sorted(shares)
        assert 0 <= shares[0] <= shares[-1] <= 1
