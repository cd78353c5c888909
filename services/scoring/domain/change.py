"""Did it really change? Two periods of one score compared, and how small a change they would show.

The interval of a difference is put together from those of its two parts, so clustering by account and finite
populations are in it. Where the interval holds 0 the honest word is "no detectable change".
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from math import inf
from statistics import NormalDist

from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Score, Split, is_difference
from shared.intervals import Z95, Interval, difference
from shared.values import Value

POWER = 0.8
"""Chance with which a planned comparison shows a change that is there."""

_NORMAL = NormalDist()
_SURE = (Z95 + _NORMAL.inv_cdf(POWER)) ** 2
_HALVINGS = 18
"""Of at most 200 points: what can be detected is told to a thousandth of a point."""


class Verdict(StrEnum):
    """What can be said of a change."""

    BETTER = "better"
    WORSE = "worse"
    NO_DETECTABLE_CHANGE = "no_detectable_change"
    TOO_FEW = "too_few"


class Change(Value, frozen=True):
    """A difference between two periods in points or percent; numbers are None where answers are too few.

    `chance` is the probability of a difference at least this large if nothing had changed.
    """

    verdict: Verdict
    before: Score
    after: Score
    points: float | None = None
    low: float | None = None
    high: float | None = None
    chance: float | None = None

    @property
    def smallest(self) -> float | None:
        """The smallest change that so many answers on both sides would show, four times of five."""
        if not self.before.n or not self.after.n:
            return None
        worths = [side.design.effective(side.n) for side in (self.before, self.after)]
        open_on_both = sum(1 / worth for worth in worths)
        return detectable(self.after.metric, self.after.split, 2 / open_on_both if open_on_both else inf)


@lru_cache(maxsize=4096)
def compare(before: Score, after: Score, *, correlation: float = 0.0) -> Change:
    """Say whether a score changed; with fewer answers than can be read on one side nothing is said.

    As `scored` it follows from what it is given alone, and comes up again and again.

    Args:
        before: the one score.
        after: the other.
        correlation: of the two, where they have answers in common.
    """
    ends = (before.value, before.low, before.high, after.value, after.low, after.high)
    if not (before.readable and after.readable) or None in ends:
        return Change(Verdict.TOO_FEW, before, after)
    was, was_low, was_high, now, now_low, now_high = (float(end or 0) for end in ends)
    points = now - was
    around = difference(was, Interval(was_low, was_high), now, Interval(now_low, now_high), correlation)
    chance = _chance(points, points - around.low if points > 0 else around.high - points)
    verdict = Verdict.NO_DETECTABLE_CHANGE
    if around.low > 0 or around.high < 0:
        verdict = Verdict.BETTER if points > 0 else Verdict.WORSE
    return Change(verdict, before, after, points, around.low, around.high, chance)


def _chance(points: float, margin: float) -> float:
    if points == 0:
        return 1.0
    return 2 * (1 - _NORMAL.cdf(Z95 * abs(points) / margin)) if margin > 0 else 0.0


def discoveries(chances: Sequence[float]) -> list[float]:
    """Chances of several comparisons, raised so that of those below q at most the share q is false.

    Benjamini and Hochberg, Journal of the Royal Statistical Society B 57 (1995). Who looks at twenty cuts
    finds one by chance alone; this takes it back.
    """
    m = len(chances)
    found, least = [0.0] * m, 1.0
    for rank, place in sorted(enumerate(sorted(range(m), key=chances.__getitem__), 1), reverse=True):
        least = min(least, chances[place] * m / rank)
        found[place] = least
    return found


def detectable(metric: Metric, seen: Split, worth: float) -> float | None:
    """The smallest fall in points that two periods would show; None for none.

    Args:
        metric: what is measured.
        seen: answers so far; their spread is taken for that of all.
        worth: independent answers that each period is worth.
    """
    if worth <= 0:
        return None
    low, high = 0.0, 200.0 if is_difference(metric) else 100.0
    now = _variance(metric, seen, 0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        enough = _needed(now + _variance(metric, seen, middle), middle) <= worth
        low, high = (low, middle) if enough else (middle, high)
    return high


def needed(metric: Metric, seen: Split, points: float) -> float:
    """Independent answers in each period, for a fall of some points; a rise of as many needs no more."""
    return _needed(_variance(metric, seen, 0) + _variance(metric, seen, points), points)


def _needed(spread: float, points: float) -> float:
    return _SURE * spread / (points / 100) ** 2


def _variance(metric: Metric, seen: Split, fall: float) -> float:
    """Of one answer counted as 1, 0 or -1 (NPS) or as 1 or 0, once the score fell by some points.

    A few answers that are all alike are not taken for no variance at all.
    """
    if is_difference(metric):
        high = max(0.0, (seen.high + 0.75) / (seen.n + 3) - fall / 200)
        low = min(1 - high, (seen.low + 0.75) / (seen.n + 3) + fall / 200)
        return high + low - (high - low) ** 2
    share = (seen.high + 2) / (seen.n + 4)
    return max(share * (1 - share), (after := max(0.0, share - fall / 100)) * (1 - after))
