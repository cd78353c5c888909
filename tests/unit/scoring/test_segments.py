"""Parts of a programme against each other: chance finds hardly anything, a real difference is found."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from services.scoring.domain.change import Verdict
from services.scoring.domain.design import Clustering
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import split
from services.scoring.domain.planning import Outlook, plan
from services.scoring.domain.segments import POINTS, segments

pytestmark = pytest.mark.requirement("R63", "R67")


def _nps(happy: int, passive: int, unhappy: int) -> Histogram:
    return Histogram.of(Metric.NPS, [9] * happy + [7] * passive + [2] * unhappy)


def test_of_ten_parts_alike_hardly_one_is_called_different() -> None:
    draw, called = np.random.default_rng(67), 0
    for _ in range(200):
        parts = [(f"p{n}", _nps(*map(int, draw.multinomial(40, (0.5, 0.2, 0.3))))) for n in range(10)]
        called += any(one.verdict is not Verdict.NO_DETECTABLE_CHANGE for one in segments(parts, 90))
    assert called <= 16, "in one of twenty looks at most, and a little for chance"


def test_the_part_that_differs_is_named_and_the_small_one_is_not_judged() -> None:
    found = segments([("emea", _nps(50, 20, 10)), ("amer", _nps(10, 20, 50)), ("apac", _nps(2, 0, 1))], 90)
    assert [(one.value, one.verdict) for one in found] == [
        ("emea", Verdict.BETTER), ("amer", Verdict.WORSE), ("apac", Verdict.TOO_FEW)
    ]  # fmt: skip
    assert found[0].points == pytest.approx(50 - 100 * (12 - 51) / 83)
    assert found[2].days is None


def test_where_colleagues_answer_alike_less_is_certain() -> None:
    parts = [("emea", _nps(26, 6, 8)), ("amer", _nps(13, 6, 21))]
    assert segments(parts, 90)[0].verdict is Verdict.BETTER
    dozen = Clustering(intraclass=0.5, paired=1 / 12, answers=80, accounts=12)
    assert segments(parts, 90, dozen)[0].verdict is Verdict.NO_DETECTABLE_CHANGE


def test_it_says_how_long_until_ten_points_would_show() -> None:
    (one,) = segments([("emea", _nps(30, 10, 20))], 60)
    assert one.days == plan(Outlook(Metric.NPS, split(_nps(30, 10, 20)), 60), POINTS).days
    assert one.verdict is Verdict.TOO_FEW, "there are no others"
    assert segments([("emea", _nps(30, 10, 20))], None)[0].days is None
    assert segments([], 90) == []


def test_it_takes_longer_where_colleagues_answer_alike_and_may_take_for_ever() -> None:
    part = [("emea", _nps(30, 10, 20))]

    def wait(customers: int) -> float:
        (one,) = segments(part, 60, Clustering(0.3, 1 / customers, 60, min(customers, 60)))
        return inf if one.days is None else one.days

    assert (segments(part, 60)[0].days or 0) < wait(3000) < wait(1000) < inf
    assert wait(20) == inf, "twenty customers never show ten points"
