"""Response rates: of those who were asked, how many answered (R57, R58).

A cohort is everybody whose invitation was handed over in a span of days; an answer belongs to the cohort of
its invitation, whenever it comes. So a rate of last week still grows this week, and never exceeds one.
"""

from __future__ import annotations

from enum import StrEnum

from shared.intervals import wilson
from shared.values import Value


class Standing(StrEnum):
    """Where a rate stands between floor and target."""

    NOTHING_YET = "nothing_yet"
    BELOW_FLOOR = "below_floor"
    BETWEEN = "between"
    ON_TARGET = "on_target"


class Asked(Value, frozen=True):
    """What is counted of surveys: asked for, handed over, answered, held back as probably machine-made."""

    requested: int = 0
    handed_over: int = 0
    answered: int = 0
    held: int = 0

    def __add__(self, other: Asked) -> Asked:
        """Both together."""
        return Asked(
            self.requested + other.requested,
            self.handed_over + other.handed_over,
            self.answered + other.answered,
            self.held + other.held,
        )

    def __sub__(self, other: Asked) -> Asked:
        """The whole without a part of it."""
        return Asked(
            self.requested - other.requested,
            self.handed_over - other.handed_over,
            self.answered - other.answered,
            self.held - other.held,
        )


class Rate(Value, frozen=True):
    """A response rate with its 95 % interval; the numbers are shares, None while nobody was asked."""

    asked: int
    answered: int
    value: float | None
    low: float | None
    high: float | None


def rate(counts: Asked) -> Rate:
    """The response rate of a cohort.

    Who answered was asked, even where the mail server never said so: such people are in both numbers.
    """
    asked = max(counts.handed_over, counts.answered)
    if asked == 0:
        return Rate(0, 0, None, None, None)
    interval = wilson(counts.answered, asked)
    return Rate(asked, counts.answered, counts.answered / asked, interval.low, interval.high)


def standing(found: Rate, floor: float, target: float) -> Standing:
    """Compare a rate with the two thresholds of R58."""
    if found.value is None:
        return Standing.NOTHING_YET
    if found.value >= target:
        return Standing.ON_TARGET
    return Standing.BETWEEN if found.value >= floor else Standing.BELOW_FLOOR
