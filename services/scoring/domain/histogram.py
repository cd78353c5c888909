"""Counts of answers by value: the only thing that is ever added up.

A histogram is exact, merges with any other of its metric in any order, and forgets an answer by subtracting
it. Every score and interval is computed from one, so a score is never averaged with another score.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from operator import add
from typing import Self

from shared.contracts.forms import SCALES, QuestionType
from shared.values import Value

BUCKETS = 11
"""Columns a cell needs for the widest scale, 0-10."""


class Metric(StrEnum):
    """What is scored. `nps5` is the five-point variant, which is never mixed with `nps` (R2)."""

    NPS = "nps"
    NPS5 = "nps5"
    CSAT = "csat"
    CES = "ces"

    @property
    def lowest(self) -> int:
        """The smallest answer of the scale."""
        return _ENDS[self][0]

    @property
    def highest(self) -> int:
        """The largest answer of the scale."""
        return _ENDS[self][1]

    @property
    def scale(self) -> range:
        """All answers that there can be."""
        return range(self.lowest, self.highest + 1)


METRICS: Mapping[str, Metric] = {metric.value: metric for metric in Metric}
"""By their names, as rows have them: a page is made of hundreds, and to call the class costs far more."""

_ENDS = {metric: SCALES[QuestionType(metric.value)] for metric in Metric}
# Asked for thousands of times a page: the hash of a metric costs more than what is looked up with it.
_VALUES = {metric: highest - lowest + 1 for metric, (lowest, highest) in _ENDS.items()}


class Histogram(Value, frozen=True):
    """How many answers each value of a scale got; `counts[0]` belongs to the lowest value."""

    metric: Metric
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.counts) != _VALUES[self.metric]:
            raise ValueError(f"a histogram of {self.metric} does not have {len(self.counts)} values")

    @classmethod
    def of(cls, metric: Metric, values: Iterable[int] = ()) -> Self:
        """Count answers.

        Raises:
            ValueError: a value is off the scale.
        """
        counts = [0] * _VALUES[metric]
        for value in values:
            if not metric.lowest <= value <= metric.highest:
                raise ValueError(f"{value} is not on the scale of {metric}")
            counts[value - metric.lowest] += 1
        return cls(metric, tuple(counts))

    @classmethod
    def from_buckets(cls, metric: Metric, buckets: Sequence[int]) -> Self:
        """Read the columns of a cell; those beyond the scale are unused."""
        return cls(metric, tuple(buckets[: _VALUES[metric]]))

    @property
    def n(self) -> int:
        """Number of answers."""
        return sum(self.counts)

    def __add__(self, other: Histogram) -> Histogram:
        """Merge two parts of one population.

        Raises:
            ValueError: the parts were asked on different scales.
        """
        if other.metric is not self.metric:
            raise ValueError(f"{self.metric} and {other.metric} are never one number")
        return Histogram(self.metric, tuple(map(add, self.counts, other.counts)))

    def __sub__(self, other: Histogram) -> Histogram:
        """Take a part out again."""
        return self + Histogram(other.metric, tuple(-count for count in other.counts))

    def by_value(self) -> dict[str, int]:
        """Value of the scale -> answers; for JSON."""
        return {str(self.metric.lowest + index): count for index, count in enumerate(self.counts)}
