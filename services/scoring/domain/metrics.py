"""From a histogram to a score (R1-R5)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from math import isinf

from services.scoring.domain.design import PLAIN, Design
from services.scoring.domain.histogram import Histogram, Metric
from shared.intervals import Interval, adjusted_wald, wilson
from shared.values import Value

TOO_FEW = 5
"""With fewer answers than this a person is shown the count alone; programs get score and interval all the
same."""


class Group(StrEnum):
    """Three groups of answers: promoter, passive, detractor; satisfied to unhappy; easy to hard."""

    HIGH = "high"
    MIDDLE = "middle"
    LOW = "low"


FROM: Mapping[Metric, tuple[int, int]] = {
    Metric.NPS: (7, 9),
    Metric.NPS5: (4, 5),
    Metric.CSAT: (3, 4),
    Metric.CES: (4, 6),
}
"""Lowest value of the middle and of the high group."""

_PLACES = {metric: (middle - metric.lowest, high - metric.lowest) for metric, (middle, high) in FROM.items()}
"""Where these two begin among the counts of a histogram."""

_DIFFERENCES = (Metric.NPS, Metric.NPS5)

GROUP_NAMES: Mapping[Metric, Mapping[Group, str]] = {
    Metric.NPS: {Group.HIGH: "promoters", Group.MIDDLE: "passives", Group.LOW: "detractors"},
    Metric.NPS5: {Group.HIGH: "promoters", Group.MIDDLE: "passives", Group.LOW: "detractors"},
    Metric.CSAT: {Group.HIGH: "satisfied", Group.MIDDLE: "neutral", Group.LOW: "unhappy"},
    Metric.CES: {Group.HIGH: "easy", Group.MIDDLE: "moderate", Group.LOW: "hard"},
}


class Split(Value, frozen=True):
    """Answers by group."""

    high: int
    middle: int
    low: int

    @property
    def n(self) -> int:
        """Number of answers."""
        return self.high + self.middle + self.low


class Score(Value, frozen=True):
    """A score with the 95 % interval around it.

    `value`, `low` and `high` are NPS points (-100 to 100) or percent (0 to 100); all None while nobody
    answered.
    """

    metric: Metric
    split: Split
    value: float | None
    low: float | None
    high: float | None
    design: Design = PLAIN

    @property
    def n(self) -> int:
        """Number of answers."""
        return self.split.n

    @property
    def difference(self) -> bool:
        """Whether it is a difference of two shares (NPS) rather than one share."""
        return is_difference(self.metric)

    @property
    def readable(self) -> bool:
        """Whether there are answers enough to show a number to a person."""
        return self.n >= TOO_FEW


def group(metric: Metric, value: int) -> Group:
    """The group that an answer belongs to."""
    middle, high = FROM[metric]
    return Group.HIGH if value >= high else Group.MIDDLE if value >= middle else Group.LOW


def split(histogram: Histogram) -> Split:
    """Sum a histogram up by group."""
    middle, high = _PLACES[histogram.metric]
    counts = histogram.counts
    return Split(sum(counts[high:]), sum(counts[middle:high]), sum(counts[:middle]))


def is_difference(metric: Metric) -> bool:
    """Whether a metric is a difference of two shares (NPS) rather than one share (CSAT, CES)."""
    return metric in _DIFFERENCES


def score(histogram: Histogram, design: Design = PLAIN) -> Score:
    """Score a histogram.

    NPS is the percentage of promoters less that of detractors; CSAT and CES are the share of the highest
    group, so a CES of 80 reads "easy for 80 %". The design widens the interval where colleagues answer
    alike and narrows it where few people are left who did not answer.
    """
    return scored(histogram.metric, split(histogram), design)


@lru_cache(maxsize=8192)
def scored(metric: Metric, parts: Split, design: Design = PLAIN) -> Score:
    """Score answers by group.

    It follows from these counts alone, and those of days that are over hardly ever change: to find what came
    of them takes a tenth of the time.
    """
    n = parts.n
    if n == 0:
        return Score(metric, parts, None, None, None, design)
    hits = parts.high - parts.low if is_difference(metric) else parts.high
    interval = interval_of(metric, parts.high / n, parts.low / n, design.effective(n))
    return Score(metric, parts, 100 * hits / n, 100 * interval.low, 100 * interval.high, design)


def interval_of(metric: Metric, high: float, low: float, worth: float) -> Interval:
    """The interval around shares of a sample that is worth so many independent answers.

    A census, worth infinitely many, leaves no doubt.
    """
    if isinf(worth):
        seen = high - low if is_difference(metric) else high
        return Interval(seen, seen)
    if is_difference(metric):
        return adjusted_wald(high * worth, low * worth, worth)
    return wilson(min(high * worth, worth), worth)
