"""A drop is told when it is there, and hardly ever when it is not; simulated with a fixed seed."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from services.scoring.domain.change import compare
from services.scoring.domain.dropping import Watched, drops, spans
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Split, scored

GOOD, BAD = (0.6, 0.25, 0.15), (0.3, 0.3, 0.4)


def _watched(draw: np.random.Generator, cell: str, shares: tuple[tuple[float, ...], ...], n: int) -> Watched:
    before, after = (
        scored(Metric.NPS, Split(*map(int, draw.multinomial(many, share))))
        for many, share in zip((3 * n, n), shares, strict=True)
    )
    return Watched(cell, compare(before, after))


@pytest.mark.requirement("R68")
def test_of_twenty_steady_scores_hardly_one_is_called_in_years() -> None:
    draw, alarms = np.random.default_rng(68), 0
    for _ in range(500):
        alarms += len(drops([_watched(draw, f"c{n}", (GOOD, GOOD), 25) for n in range(20)], ()))
    assert alarms <= 10, "10,000 comparisons, and one in a hundred days with a false alarm at most"


@pytest.mark.requirement("R68")
def test_a_real_drop_among_steady_scores_is_found() -> None:
    draw, found = np.random.default_rng(69), 0
    for _ in range(100):
        watched = [_watched(draw, f"c{n}", (GOOD, GOOD), 60) for n in range(9)]
        told = drops([*watched, _watched(draw, "fell", (GOOD, BAD), 60)], ())
        found += any(one.cell == "fell" for one, _ in told)
    assert found >= 85


def test_what_was_told_lately_and_what_rose_are_not_told() -> None:
    draw = np.random.default_rng(70)
    fell, rose = _watched(draw, "fell", (GOOD, BAD), 500), _watched(draw, "rose", (BAD, GOOD), 500)
    few = _watched(draw, "few", (GOOD, BAD), 1)
    assert [one.cell for one, _ in drops([fell, rose, few], ())] == ["fell"]
    assert drops([fell, rose, few], {"fell"}) == []
    assert drops([], ()) == []


def test_thirty_days_stand_against_the_ninety_before() -> None:
    now, before = spans(date(2026, 3, 31))
    assert (now.first, now.last) == (date(2026, 3, 2), date(2026, 3, 31))
    assert before.last + timedelta(days=1) == now.first
    assert (before.last - before.first).days == 89
