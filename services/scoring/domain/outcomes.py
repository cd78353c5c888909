"""Did those who were unhappy leave more often? Renewals and churn against what was said before (R8).

Accounts are told apart by their answers of the 180 days before: more promoters than detractors, more
detractors than promoters, or neither. Each account counts once, by its last renewal or end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.scoring.domain.change import Change, Verdict, compare
from services.scoring.domain.facts import Fact
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import FROM, TOO_FEW, Group, Score, Split, scored
from shared.intervals import Interval, wilson

DAYS_BEFORE = 180


def follows(fact: Fact, ended: date) -> list[int]:
    """What an answer adds to the fate of an account whose contract was renewed or ended on a day.

    Returns:
        For each metric in turn: 1 for a happy answer, -1 for an unhappy one, and 1 for any that was given.
        Nothing where the answer does not count, or is not of the days before.
    """
    if not fact.counts or not 0 < (ended - fact.day).days <= DAYS_BEFORE:
        return []
    given = dict(fact.points)
    found: list[int] = []
    for metric, (middle, high) in FROM.items():
        answer = given.get(metric.value)
        found += (0, 0) if answer is None else ((answer >= high) - (answer < middle), 1)
    return found


class Link(StrEnum):
    """What can be said of those who were unhappy, against those who were happy."""

    LEFT_MORE = "left_more"
    LEFT_LESS = "left_less"
    NO_DIFFERENCE = "no_detectable_difference"
    NOT_ENOUGH_DATA = "not_enough_data"


@dataclass(frozen=True, slots=True)
class Fate:
    """Accounts of one mood: how many there were, and how many of them left."""

    accounts: int = 0
    left: int = 0

    @property
    def share(self) -> Interval | None:
        """The interval of the share that left; None where there are too few to say."""
        return wilson(self.left, self.accounts) if self.accounts >= TOO_FEW else None


@dataclass(frozen=True, slots=True)
class Churn:
    """Customers of one tier whose contract was renewed or ended: how many left, and what went with them (R8).

    Attributes:
        tier: "" where it is not known.
        accounts: each once, by its last renewal or end.
        left: of them those whose contract ended.
        value: annual value of those who left, as far as it is known; None where it is of nobody.
        cost: what it had cost to win them, likewise.
    """

    tier: str
    accounts: int
    left: int
    value: float | None
    cost: float | None

    @property
    def share(self) -> float:
        """Of those whose contract was renewed or ended, the share that left."""
        return self.left / self.accounts

    @property
    def interval(self) -> Interval:
        """Around it: what so few contracts tell of the next ones."""
        return wilson(self.left, self.accounts)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One metric: what became of accounts by what they had said, and what follows."""

    metric: Metric
    fates: Mapping[Group, Fate]
    link: Link
    points: float | None
    low: float | None
    high: float | None


def outcome(metric: Metric, fates: Mapping[Group, Fate]) -> Outcome:
    """Compare the unhappy accounts with the happy ones."""
    change = against(fates)
    link = {
        Verdict.BETTER: Link.LEFT_MORE,
        Verdict.WORSE: Link.LEFT_LESS,
        Verdict.NO_DETECTABLE_CHANGE: Link.NO_DIFFERENCE,
        Verdict.TOO_FEW: Link.NOT_ENOUGH_DATA,
    }[change.verdict]
    return Outcome(metric, fates, link, change.points, change.low, change.high)


def against(fates: Mapping[Group, Fate]) -> Change:
    """The share of the unhappy that left less that of the happy, in percent."""
    happy, unhappy = fates.get(Group.HIGH, Fate()), fates.get(Group.LOW, Fate())
    return compare(_left(happy), _left(unhappy))


def _left(fate: Fate) -> Score:
    """The share that left, as a score."""
    return scored(Metric.CSAT, Split(fate.left, 0, fate.accounts - fate.left))
