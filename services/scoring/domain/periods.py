"""Weeks and months of a trend (R64)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from enum import StrEnum

from services.scoring.domain.histogram import Histogram, Metric
from shared.values import Value


class Step(StrEnum):
    """How long a period of a trend is; weeks begin on Monday."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


class Period(Value, frozen=True):
    """A span of whole days, both included, and the answers that fell into it."""

    start: date
    end: date
    histogram: Histogram


_MONTHS = {Step.MONTH: 1, Step.QUARTER: 3}


def start_of(day: date, step: Step) -> date:
    """First day of the period that a day lies in."""
    if step is Step.WEEK:
        return day - timedelta(days=day.weekday())
    months = _MONTHS[step]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def next_start(start: date, step: Step) -> date:
    """First day of the period after the one that begins at `start`."""
    if step is Step.WEEK:
        return start + timedelta(days=7)
    month = start.month - 1 + _MONTHS[step]
    return date(start.year + month // 12, month % 12 + 1, 1)


def fitting(days: Mapping[date, Histogram], enough: int) -> Step:
    """The shortest step at which most periods with answers have enough of them to show a score."""
    each = [(day, histogram.n) for day, histogram in days.items()]
    for step in (Step.WEEK, Step.MONTH):
        sums: dict[date, int] = {}
        for day, n in each:
            start = start_of(day, step)
            sums[start] = sums.get(start, 0) + n
        counts = [n for n in sums.values() if n]
        if sum(n >= enough for n in counts) * 3 >= len(counts) * 2:
            return step
    return Step.QUARTER


def trend(
    metric: Metric, days: Mapping[date, Histogram], step: Step, span: tuple[date, date] | None = None
) -> list[Period]:
    """Merge daily histograms into consecutive periods; those without an answer are there, empty.

    Args:
        metric: what the histograms count.
        days: answers by day.
        step: length of a period.
        span: first and last day to cover; by default those of the answers.
    """
    if not days and span is None:
        return []
    first, last = span or (min(days), max(days))
    merged: dict[date, Histogram] = {}
    for start in _starts(first, last, step):
        merged[start] = Histogram.of(metric)
    for day, histogram in days.items():
        start = start_of(day, step)
        if start in merged:
            merged[start] += histogram
    return [
        Period(start, next_start(start, step) - timedelta(days=1), found) for start, found in merged.items()
    ]


def _starts(first: date, last: date, step: Step) -> Iterable[date]:
    start = start_of(first, step)
    while start <= last:
        yield start
        start = next_start(start, step)
