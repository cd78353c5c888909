"""Oracles are scipy, hand work, or a sum over every possible sample; never the code under test."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom, binomtest, chi2, multinomial

from shared.intervals import adjusted_wald, happened, wilson

Numbers = NDArray[np.float64]


@pytest.mark.requirement("R63")
def test_adjusted_wald_by_hand() -> None:
    # 12 promoters and 4 detractors of 20. Shares of 23: 12.75/23 = 0.554348, 4.75/23 = 0.206522;
    # difference 0.347826, variance 0.760870 - 0.120983 = 0.639887, its root over 23 = 0.166796.
    found = adjusted_wald(12, 4, 20, z=1.96)
    assert found.low == pytest.approx(0.347826 - 1.96 * 0.166796, abs=1e-5)
    assert found.high == pytest.approx(0.347826 + 1.96 * 0.166796, abs=1e-5)


@pytest.mark.requirement("R63")
@pytest.mark.parametrize("n", [10, 23, 50, 51, 400])
def test_wilson_agrees_with_scipy(n: int) -> None:
    for hits in (0, *range(4, n - 3), n):
        theirs = binomtest(hits, n).proportion_ci(method="wilson")
        ours = wilson(hits, n)
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        # Lower limits of a Poisson mean by scipy, over n; the other end is Wilson's.
        pytest.param(1, 10, chi2.ppf(0.05, 2) / 20, 0.404150, id="one hit"),
        pytest.param(2, 10, chi2.ppf(0.05, 4) / 20, 0.509838, id="two hits"),
        pytest.param(3, 10, 0.107789, 0.603222, id="three of ten is Wilson's"),
        pytest.param(3, 60, chi2.ppf(0.05, 6) / 120, 0.137005, id="three of more than fifty"),
        pytest.param(1.5, 10, (chi2.ppf(0.05, 2) + chi2.ppf(0.05, 4)) / 40, 0.458846, id="between two"),
    ],
)
def test_a_handful_of_hits_gets_a_lower_end_that_covers(hits: float, n: int, low: float, high: float) -> None:
    found, mirrored = wilson(hits, n), wilson(n - hits, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-5)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((low, high), abs=1e-5)


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


def _corners(steps: int) -> Numbers:
    """Every population whose three shares are multiples of 1 / steps."""
    whole = [(p, d, steps - p - d) for p in range(steps + 1) for d in range(steps + 1 - p)]
    return np.array(whole) / steps


def _coverage(n: int, populations: Numbers) -> Numbers:
    """Exact chance that the interval of an NPS holds the truth: a sum over all samples of n."""
    samples = np.array([(p, d, n - p - d) for p in range(n + 1) for d in range(n + 1 - p)])
    found = [adjusted_wald(int(p), int(d), n) for p, d, _ in samples]
    low, high = np.array([one.low for one in found]), np.array([one.high for one in found])
    chances = multinomial.pmf(samples[None], n, populations[:, None, :])
    truth = (populations[:, 0] - populations[:, 1])[:, None]
    covered: Numbers = (chances * ((low <= truth + 1e-9) & (truth - 1e-9 <= high))).sum(axis=1)
    return covered


def _share_coverage(n: int, shares: Numbers) -> Numbers:
    found = [wilson(hits, n) for hits in range(n + 1)]
    low, high = np.array([one.low for one in found]), np.array([one.high for one in found])
    chances = binom.pmf(np.arange(n + 1)[None], n, shares[:, None])
    truth = shares[:, None]
    covered: Numbers = (chances * ((low <= truth + 1e-9) & (truth - 1e-9 <= high))).sum(axis=1)
    return covered


@pytest.mark.requirement("R63")
@pytest.mark.parametrize("n", [8, 12, 20, 50, 100])
def test_nineteen_of_twenty_intervals_hold_the_truth(n: int) -> None:
    populations = np.random.default_rng(8).dirichlet([1, 1, 1], 300)
    covered = _coverage(n, populations)
    assert 0.94 <= covered.mean() <= 0.96
    if n >= 50:
        assert ((covered >= 0.94) & (covered <= 0.96)).mean() >= 0.9
        assert covered.min() >= 0.93


@pytest.mark.requirement("R63")
def test_at_eight_answers_no_population_whatever_is_covered_less_than_nine_times_of_ten() -> None:
    assert _coverage(8, _corners(100)).min() >= 0.9
    assert _share_coverage(8, np.linspace(0, 1, 2001)).min() >= 0.9


@pytest.mark.requirement("R63")
def test_intervals_of_shares_hold_the_truth() -> None:
    shares = np.linspace(0.02, 0.98, 961)
    covered = {n: _share_coverage(n, shares) for n in (8, 20, 50, 100, 400)}
    assert 0.94 <= np.mean(list(covered.values())) <= 0.96
    assert all(0.94 <= covered[n].mean() <= 0.96 for n in (20, 50, 100, 400))
    assert all(covered[n].min() >= 0.915 for n in covered)
    assert covered[8].mean() <= 0.965, "wide rather than wrong"


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


@pytest.mark.requirement("R63", "R86")
@pytest.mark.parametrize("times", [0, 1, 2, 3, 5, 12, 40, 1000])
def test_how_often_something_happens_agrees_with_the_exact_limits(times: int) -> None:
    found = happened(times)
    low = chi2.ppf(0.025, 2 * times) / 2 if times else 0
    assert found.low == pytest.approx(low, abs=0.03)
    assert found.high == pytest.approx(chi2.ppf(0.975, 2 * times + 2) / 2, abs=0.03)


def test_nothing_happens_less_than_never() -> None:
    with pytest.raises(ValueError, match="-1 times"):
        happened(-1)
