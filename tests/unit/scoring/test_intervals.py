"""Oracles are worked out by hand or by enumerating every possible sample, never with the code under test."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.intervals import adjusted_wald, wilson


@pytest.mark.requirement("R63")
def test_adjusted_wald_by_hand() -> None:
    # 12 promoters and 4 detractors of 20. Shares of 23: 12.75/23 = 0.554348, 4.75/23 = 0.206522;
    # difference 0.347826, variance 0.760870 - 0.120983 = 0.639887, its root over 23 = 0.166796.
    found = adjusted_wald(12, 4, 20, z=1.96)
    assert found.low == pytest.approx(0.347826 - 1.96 * 0.166796, abs=1e-5)
    assert found.high == pytest.approx(0.347826 + 1.96 * 0.166796, abs=1e-5)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        # Wilson (1927) with z = 1.96, as printed by common statistics packages.
        pytest.param(8, 10, 0.4901625, 0.9433178, id="8 of 10"),
        pytest.param(0, 10, 0.0, 0.2775328, id="none of 10"),
        pytest.param(10, 10, 0.7224672, 1.0, id="all of 10"),
        pytest.param(1, 1, 0.2065493, 1.0, id="one of one"),
        pytest.param(50, 100, 0.4038315, 0.5961685, id="half of 100"),
    ],
)
def test_wilson_agrees_with_published_values(hits: int, n: int, low: float, high: float) -> None:
    found = wilson(hits, n)
    assert found.low == pytest.approx(low, abs=1e-6)
    assert found.high == pytest.approx(high, abs=1e-6)


@st.composite
def samples(draw: st.DrawFn) -> tuple[int, int, int]:
    n = draw(st.integers(1, 2000))
    promoters = draw(st.integers(0, n))
    return promoters, draw(st.integers(0, n - promoters)), n


@given(samples())
def test_bounds_stay_in_range_and_hold_what_was_seen(sample: tuple[int, int, int]) -> None:
    promoters, detractors, n = sample
    found = adjusted_wald(promoters, detractors, n)
    assert -1 <= found.low <= (promoters - detractors) / n <= found.high <= 1
    share = wilson(promoters, n)
    assert 0 <= share.low <= promoters / n <= share.high <= 1


@given(samples())
def test_swapping_promoters_and_detractors_mirrors_the_interval(sample: tuple[int, int, int]) -> None:
    promoters, detractors, n = sample
    found, mirrored = adjusted_wald(promoters, detractors, n), adjusted_wald(detractors, promoters, n)
    assert found.low == pytest.approx(-mirrored.high)
    assert found.high == pytest.approx(-mirrored.low)


def _coverage(n: int, promoters: float, detractors: float) -> float:
    """Exact chance that the interval holds the truth, over all samples of n."""
    truth, total = promoters - detractors, 0.0
    for p in range(n + 1):
        for d in range(n - p + 1):
            weight = comb(n, p) * comb(n - p, d)
            chance = weight * promoters**p * detractors**d * (1 - promoters - detractors) ** (n - p - d)
            found = adjusted_wald(p, d, n)
            total += chance * (found.low <= truth <= found.high)
    return total


@pytest.mark.requirement("R63")
@pytest.mark.parametrize("n", [5, 10, 20, 50, 100])
@pytest.mark.parametrize(
    ("promoters", "detractors"), [(0.5, 0.2), (0.4, 0.3), (0.7, 0.1), (0.2, 0.5), (0.33, 0.33), (0.8, 0.05)]
)
def test_nineteen_of_twenty_intervals_hold_the_truth(n: int, promoters: float, detractors: float) -> None:
    assert 0.92 <= _coverage(n, promoters, detractors) <= 1


@pytest.mark.requirement("R63")
def test_the_plain_wald_interval_would_not_have_done() -> None:
    """At ten happy answers the textbook interval has no width at all; ours still admits doubt."""
    found = adjusted_wald(10, 0, 10)
    assert found.low < 0.5
    assert found.high == 1


@pytest.mark.parametrize(("promoters", "detractors", "n"), [(0, 0, 0), (2, 2, 3), (-1, 0, 1)])
def test_counts_that_do_not_fit_have_no_interval(promoters: int, detractors: int, n: int) -> None:
    with pytest.raises(ValueError, match="no interval"):
        adjusted_wald(promoters, detractors, n)


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (2, 1), (-1, 3)])
def test_hits_beyond_trials_have_no_interval(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match="no interval"):
        wilson(hits, n)
