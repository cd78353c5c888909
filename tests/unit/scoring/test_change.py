"""Did it change, could it have been seen: against simulation with a fixed seed, and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from services.scoring.domain.change import Verdict, compare, detectable, discoveries
from services.scoring.domain.design import Design
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Split, scored
from services.scoring.domain.planning import Outlook, plan

Shares = tuple[float, float, float]


def _drawn(draw: np.random.Generator, n: int, shares: Shares, rounds: int) -> list[Split]:
    return [Split(*map(int, one)) for one in draw.multinomial(n, shares, rounds)]


def _seen(metric: Metric, n: int, before: Shares, after: Shares) -> float:
    """How often of a thousand a change is seen."""
    draw = np.random.default_rng(n)
    pairs = zip(_drawn(draw, n, before, 1000), _drawn(draw, n, after, 1000), strict=True)
    verdicts = [compare(scored(metric, a), scored(metric, b)).verdict for a, b in pairs]
    return sum(verdict is not Verdict.NO_DETECTABLE_CHANGE for verdict in verdicts) / 1000


@pytest.mark.requirement("R63", "R68")
@pytest.mark.parametrize("metric", [Metric.NPS, Metric.CSAT])
@pytest.mark.parametrize("n", [8, 20, 100])
@pytest.mark.parametrize("shares", [(0.5, 0.3, 0.2), (0.8, 0.15, 0.05), (0.34, 0.33, 0.33)])
def test_where_nothing_changed_something_is_seen_once_in_twenty(
    metric: Metric, n: int, shares: Shares
) -> None:
    assert _seen(metric, n, shares, shares) <= 0.075


@pytest.mark.requirement("R63")
@pytest.mark.parametrize("metric", [Metric.NPS, Metric.CSAT])
@pytest.mark.parametrize(
    ("before", "after"), [((0.5, 0.3, 0.2), (0.4, 0.3, 0.3)), ((0.6, 0.3, 0.1), (0.45, 0.35, 0.2))]
)
def test_what_was_planned_for_is_seen_four_times_of_five(
    metric: Metric, before: Shares, after: Shares
) -> None:
    points = 100 * (before[0] - after[0] + (after[2] - before[2] if metric is Metric.NPS else 0))
    seen = Split(*(round(1000 * share) for share in before))
    planned = plan(Outlook(metric, seen, days=200), points)
    assert planned.answers is not None
    assert planned.days == -(-planned.answers // 5)
    assert _seen(metric, planned.answers, before, after) == pytest.approx(0.8, abs=0.06)
    assert detectable(metric, seen, planned.answers) == pytest.approx(points, rel=0.01)


def test_the_smallest_change_that_would_show_follows_from_what_answers_are_worth() -> None:
    seen = Split(50, 30, 20)
    assert detectable(Metric.NPS, seen, 0) is None
    assert detectable(Metric.NPS, seen, 1) == 200
    assert detectable(Metric.CSAT, seen, 1) == 100
    plain = compare(scored(Metric.NPS, seen), scored(Metric.NPS, seen))
    alike = Design(effect=4)
    clustered = compare(scored(Metric.NPS, seen, alike), scored(Metric.NPS, seen, alike))
    quarter = compare(scored(Metric.NPS, Split(12, 8, 5)), scored(Metric.NPS, Split(12, 8, 5)))
    assert plain.smallest == pytest.approx(detectable(Metric.NPS, seen, 100))
    assert clustered.smallest == pytest.approx(quarter.smallest, rel=0.05)
    whole = Design(population=100)
    assert compare(
        scored(Metric.NPS, seen, whole), scored(Metric.NPS, seen, whole)
    ).smallest == pytest.approx(0, abs=0.001)


@pytest.mark.requirement("R63", "R68")
def test_verdicts() -> None:
    good, bad = scored(Metric.NPS, Split(80, 15, 5)), scored(Metric.NPS, Split(30, 30, 40))
    assert compare(good, bad).verdict is Verdict.WORSE
    assert compare(bad, good).verdict is Verdict.BETTER
    assert compare(good, good).verdict is Verdict.NO_DETECTABLE_CHANGE
    assert compare(good, good).chance == 1
    four, five = scored(Metric.NPS, Split(4, 0, 0)), scored(Metric.NPS, Split(0, 0, 5))
    assert compare(good, four).verdict is Verdict.TOO_FEW
    assert compare(good, four).points is None
    assert compare(good, five).verdict is Verdict.WORSE


def test_a_census_that_moved_has_moved_for_certain() -> None:
    whole = Design(population=20)
    moved = compare(scored(Metric.NPS, Split(10, 5, 5), whole), scored(Metric.NPS, Split(9, 6, 5), whole))
    assert (moved.verdict, moved.points, moved.low, moved.high, moved.chance) == (
        Verdict.WORSE, -5, -5, -5, 0,
    )  # fmt: skip


@given(st.tuples(*[st.integers(0, 60)] * 3), st.tuples(*[st.integers(0, 60)] * 3))
def test_the_verdict_the_interval_and_the_chance_say_the_same(
    before: tuple[int, int, int], after: tuple[int, int, int]
) -> None:
    found = compare(scored(Metric.NPS, Split(*before)), scored(Metric.NPS, Split(*after)))
    if found.points is None or found.low is None or found.high is None or found.chance is None:
        assert found.verdict is Verdict.TOO_FEW
        return
    assert found.low <= found.points <= found.high
    certain = found.low > 0 or found.high < 0
    assert certain == (found.verdict is not Verdict.NO_DETECTABLE_CHANGE)
    if abs(found.chance - 0.05) > 1e-9:
        assert certain == (found.chance < 0.05)
    back = compare(found.after, found.before)
    assert (back.points, back.low, back.high) == pytest.approx((-found.points, -found.high, -found.low))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_false_discoveries_are_held_down_as_scipy_does(chances: list[float]) -> None:
    assert discoveries(chances) == pytest.approx(list(false_discovery_control(chances)))


def test_no_comparison_no_discovery() -> None:
    assert discoveries([]) == []
