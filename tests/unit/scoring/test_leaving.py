"""Churn is told to rise when it does, and hardly ever when it does not; simulated with a fixed seed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from services.scoring.domain.leaving import CHANCE, LEAST_LEFT, WHOLE, Leaving, rise, rises, spans

ACCOUNTS, DAYS = 300, 210


def before(left: int, renewed: int = 0, accounts: int = ACCOUNTS) -> Leaving:
    """The 180 days before."""
    return Leaving(left, renewed, 180 * accounts, 180)


def now(left: int, renewed: int = 0, accounts: int = ACCOUNTS) -> Leaving:
    """The last 30 days."""
    return Leaving(left, renewed, 30 * accounts, 30)


@lru_cache(None)
def _rises(then: int, since: int) -> bool:
    return rise(before(then), now(since)) is not None


def told(left: NDArray[np.int64]) -> Iterator[int]:
    """The days on which a rise begins, looked at daily, after 30 days without."""
    sums = np.concatenate([[0], np.cumsum(left)])
    seen = -DAYS
    for day in range(DAYS, len(left)):
        if _rises(int(sums[day - 29] - sums[day - 209]), int(sums[day + 1] - sums[day - 29])):
            if day - seen >= 30:
                yield day
            seen = day


@pytest.mark.requirement("R68")
@pytest.mark.parametrize("monthly", [0.6, 3, 9])
def test_steady_churn_looked_at_every_day_is_hardly_ever_told_in_years(monthly: float) -> None:
    draw = np.random.default_rng(68)
    alarms = sum(len(list(told(draw.poisson(monthly / 30, DAYS + 5 * 365)))) for _ in range(100))
    assert alarms <= 30, "500 years: seldomer than once in sixteen"


@pytest.mark.requirement("R68")
def test_a_real_rise_is_found_within_two_months() -> None:
    draw, found = np.random.default_rng(69), 0
    for _ in range(100):
        left = np.concatenate([draw.poisson(5 / 30, DAYS), draw.poisson(20 / 30, 60)])
        found += any(True for _ in told(left))
    assert found >= 90


@pytest.mark.requirement("R68")
def test_fewer_than_five_are_no_rise_however_seldom_anybody_left() -> None:
    assert rise(before(0), now(LEAST_LEFT - 1)) is None
    found = rise(before(0), now(LEAST_LEFT))
    assert found is not None
    assert (found.expected, found.high) == (0, None)
    assert found.low > 1
    assert found.chance == pytest.approx((1 / 7) ** LEAST_LEFT)


@pytest.mark.requirement("R60", "R61", "R68")
def test_of_steady_tiers_and_products_hardly_one_is_told_in_years() -> None:
    parts = {("tier", name): 2.0 for name in ("small", "key")} | {("product", f"p{n}"): 0.5 for n in range(8)}
    draw, alarms = np.random.default_rng(60), 0
    for _ in range(20):
        sums = {
            part: np.concatenate([[0], np.cumsum(draw.poisson(monthly / 30, DAYS + 5 * 365))])
            for part, monthly in parts.items()
        }
        seen: dict[tuple[str, str], int] = {}
        for day in range(DAYS, DAYS + 5 * 365, 3):
            counted = {
                part: (
                    before(int(left[day - 29] - left[day - 209])),
                    now(int(left[day + 1] - left[day - 29])),
                )
                for part, left in sums.items()
            }
            for one in rises(counted):
                alarms += day - seen.get(one.part, -DAYS) >= 30
                seen[one.part] = day
    assert alarms <= 8, "100 years: seldomer than once in twelve"


@pytest.mark.requirement("R60", "R68")
def test_each_part_counts_at_its_share_and_those_of_few_that_left_not_at_all() -> None:
    steady, few = (before(30), now(5)), (before(3), now(1))
    alone = rises({("tier", "key"): (before(2), now(6)), ("tier", "small"): few})
    (one,) = rises({("tier", "key"): (before(2), now(6)), ("tier", "small"): steady})
    assert one.part == ("tier", "key")
    assert one.chance == pytest.approx(2 * alone[0].chance)
    both = rises({("tier", "key"): (before(2), now(9)), WHOLE: (before(5), now(9))})
    assert [found.part for found in both] == [WHOLE, ("tier", "key")]
    assert rises({}) == []


def test_nothing_is_said_where_there_were_no_customers_before() -> None:
    assert rise(before(0, accounts=0), now(9)) is None


@pytest.mark.requirement("R68")
def test_the_chance_is_that_of_the_exact_tests() -> None:
    found = rise(before(9), now(9))
    assert found is not None
    assert found.chance == pytest.approx(stats.binom.sf(8, 18, 1 / 7))
    assert found.chance <= CHANCE
    assert found.expected == pytest.approx(1.5)
    assert found.low < 6 < (found.high or 0)
    assert found.before.rate == pytest.approx(0.5)
    assert found.after.rate == pytest.approx(3)
    contracts = rise(before(9, renewed=120), now(12, renewed=14))
    assert contracts is not None
    fisher = stats.fisher_exact(np.array([[12, 14], [9, 120]]), alternative="greater").pvalue
    assert contracts.chance == pytest.approx(max(fisher, stats.binom.sf(11, 21, 1 / 7)))


@pytest.mark.requirement("R68")
def test_who_has_more_customers_loses_more_and_that_is_no_rise() -> None:
    assert rise(before(9), now(9)) is not None
    assert rise(before(9), now(9, accounts=5 * ACCOUNTS)) is None


@pytest.mark.requirement("R68")
def test_where_many_contracts_come_up_at_once_more_leave_and_that_is_no_rise() -> None:
    assert rise(before(6, renewed=54), now(12)) is not None
    assert rise(before(6, renewed=54), now(12, renewed=110)) is None
    assert rise(before(6, renewed=54), now(12, renewed=8)) is not None


@pytest.mark.requirement("R68")
def test_fewer_that_leave_and_as_many_as_before_are_no_rise() -> None:
    assert rise(before(60), now(6)) is None
    assert rise(before(60), now(10)) is None


def test_thirty_days_stand_against_the_hundred_and_eighty_before() -> None:
    since, then = spans(date(2026, 3, 31))
    assert (since.first, since.last) == (date(2026, 3, 2), date(2026, 3, 31))
    assert then.last + timedelta(days=1) == since.first
    assert (then.last - then.first).days == 179
