"""What became of surveys, and response rates against two thresholds: a target and a floor (R58)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import timedelta
from enum import StrEnum

from shared.intervals import Interval, wilson

SPAN = timedelta(days=30)
"""What is looked at when nobody says otherwise."""

LONGEST = timedelta(days=400)

FEW = 20
"""Below so many sent surveys a single answer moves the rate by more than five points."""


class Standing(StrEnum):
    """Where a rate stands; `none` while nothing was sent."""

    NONE = "none"
    BELOW = "below"
    DECENT = "decent"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class Rate:
    """Sums of surveys that were requested in a span of time, each by the message that stands for it.

    Attributes:
        not_begun: sent, not come back, not begun. Who of them opened the mail is not known: nothing in a
            mail tells.
        held: answers that look as if no person had given them; nobody counts them.
        promised: of those sent, surveys that promise something to whoever answers (R55).
        earned: of those promised, answered by a person.
        redeemed: what was given, by word of who gives it; also where the answer counts no longer.
    """

    name: str = ""
    requested: int = 0
    sent: int = 0
    uncertain: int = 0
    delivered: int = 0
    bounced: int = 0
    complained: int = 0
    not_begun: int = 0
    started: int = 0
    answered: int = 0
    held: int = 0
    promised: int = 0
    earned: int = 0
    redeemed: int = 0

    @property
    def share(self) -> float | None:
        """Answered of those sent; None while nothing was sent."""
        return self.answered / self.sent if self.sent else None

    @property
    def around(self) -> Interval | None:
        """The interval in which that share would lie, 19 times of 20; None while nothing was sent."""
        return _around(self.answered, self.sent)

    @property
    def begun(self) -> int:
        """People who sent a first step, without those that look like no person."""
        return self.started - self.held

    @property
    def completion(self) -> float | None:
        """Answered of those who began; None while nobody did."""
        return self.answered / self.begun if self.begun > 0 else None

    @property
    def around_completion(self) -> Interval | None:
        """The interval in which that share would lie, 19 times of 20; None while nobody began."""
        return _around(self.answered, self.begun)

    @property
    def few(self) -> bool:
        """Whether the numbers are too small to judge anybody by."""
        return self.sent < FEW


def _around(part: int, whole: int) -> Interval | None:
    # Who answered was sent it, even where the server never said so.
    return wilson(part, max(part, whole)) if whole > 0 else None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Shares of the sent surveys that are answered: what is aimed at, and below what something is wrong."""

    target: float = 0.5
    floor: float = 0.2

    def standing(self, sent: int, answered: int) -> Standing:
        """Where `answered` of `sent` stands; a rate that meets a threshold exactly has reached it."""
        if sent == 0:
            return Standing.NONE
        rate = answered / sent
        if rate >= self.target:
            return Standing.TARGET
        return Standing.DECENT if rate >= self.floor else Standing.BELOW


@dataclass(frozen=True, slots=True)
class Judged:
    """Sums with where they stand."""

    rate: Rate
    standing: Standing

    @property
    def alarming(self) -> bool:
        """Whether the rate is below the floor, and by more than a few surveys could say."""
        return self.standing is Standing.BELOW and not self.rate.few


def judged(rates: Iterable[Rate], thresholds: Thresholds) -> list[Judged]:
    """Rates with their standing: those below the floor first, the lowest on top, small numbers last."""
    found = [Judged(one, thresholds.standing(one.sent, one.answered)) for one in rates]
    return sorted(found, key=_urgency)


def total(rates: Iterable[Rate]) -> Rate:
    """All of them as one, without a name."""
    sums = dict.fromkeys(_COUNTS, 0)
    for one in rates:
        for name in _COUNTS:
            sums[name] += getattr(one, name)
    return Rate("", **sums)


_COUNTS = tuple(field.name for field in fields(Rate) if field.name != "name")
_ORDER = (Standing.BELOW, Standing.DECENT, Standing.TARGET, Standing.NONE)


def _urgency(one: Judged) -> tuple[int, bool, float, str]:
    return _ORDER.index(one.standing), one.rate.few, one.rate.share or 0.0, one.rate.name
