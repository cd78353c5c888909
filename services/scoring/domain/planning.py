"""How long until a change could be seen, if people go on to be asked and to answer as they do now.

More answers come from the same customers: colleagues repeat each other, so each further answer tells less
than the one before. With few customers who are of one mind there is a change so small that it never shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from services.scoring.domain.change import needed
from services.scoring.domain.cohorts import LONGEST_OPEN
from services.scoring.domain.design import APART, Clustering, Design
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Split, is_difference

MOST = 1 << 24
"""Answers in a period; what so many do not show is not waited for."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Answers to come: as those of some days that are over.

    Attributes:
        metric: what is measured.
        seen: answers of these days by group; their spread is taken for that of the answers to come.
        days: how many they are.
        clustering: how answers hang together by account.
        population: people who could have answered in these days, None where it is unknown or without end.
    """

    metric: Metric
    seen: Split
    days: int
    clustering: Clustering = APART
    population: int | None = None

    @property
    def per_day(self) -> float:
        """Answers a day."""
        return self.seen.n / self.days

    def design(self, n: int) -> Design:
        """The design of so many answers."""
        return self.clustering.design(n, self._people(n))

    def _people(self, n: int) -> int | None:
        """People who could answer while so many do: those asked then, and before as long as surveys are open.

        Never fewer beside the answers than there were.
        """
        if self.population is None or not self.seen.n:
            return self.population
        grown = n / self.seen.n
        lead = LONGEST_OPEN / self.days
        return ceil(self.population * max(grown, (grown + lead) / (1 + lead)))


@dataclass(frozen=True, slots=True)
class Plan:
    """What it takes to see a change of some points between two periods of equal length.

    Attributes:
        points: size of the change.
        answers: needed in each of them; None where no number is enough.
        days: how long each must be at the present rate of answers; None where nobody answers, too.
        design: of so many answers.
    """

    points: float
    answers: int | None
    days: int | None
    design: Design | None


def plan(outlook: Outlook, points: float) -> Plan:
    """How long until a change can be detected, four times of five, with 95 % confidence.

    Args:
        outlook: answers to come.
        points: size of the change, in points or percent; more than 0.

    Raises:
        ValueError: no change of this size can be.
    """
    if not 0 < points <= (200 if is_difference(outlook.metric) else 100):
        raise ValueError(f"points: a change of {points:g} cannot be; give more than 0")
    wanted = needed(outlook.metric, outlook.seen, points)
    answers = _first(lambda n: outlook.design(n).effective(n) >= wanted)
    if answers is None:
        return Plan(points, None, None, None)
    days = ceil(answers / outlook.per_day) if outlook.seen.n else None
    return Plan(points, answers, days, outlook.design(answers))


def _first(enough: Callable[[int], bool]) -> int | None:
    """The smallest number of answers that is enough, at least two; None where MOST are not."""
    high = 2
    while not enough(high):
        if high >= MOST:
            return None
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
