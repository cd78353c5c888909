"""How long things take, kept so that sums of cases can be added: sorted lengths, and what they say together.

Kaplan and Meier, "Nonparametric Estimation from Incomplete Observations", *JASA* 53 (1958).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import chain
from math import ceil, inf

from shared.values import Value

MICROSECOND = timedelta(microseconds=1)
_EPSILON = 1e-9


class Lengths(Value, frozen=True, gc=False):
    """How long something took where it has happened, and how long the others were watched without it.

    Whole microseconds, the shortest first; as floats, which hold them exactly for 285 years and are sorted
    in a fraction of the time.
    """

    happened: list[float]
    waiting: list[float]


def lengths(happened: Iterable[timedelta], waiting: Iterable[timedelta]) -> Lengths:
    """Put lengths in order; none is below nothing."""
    return Lengths(_lengths(happened), _lengths(waiting))


def _lengths(found: Iterable[timedelta]) -> list[float]:
    return sorted(max(one / MICROSECOND, 0.0) for one in found)


def merged(parts: Sequence[Lengths]) -> Lengths:
    """All together."""
    return Lengths(_ordered([one.happened for one in parts]), _ordered([one.waiting for one in parts]))


def _ordered(parts: Sequence[list[float]]) -> list[float]:
    """All of some lists, each in order, in order."""
    if len(parts) == 1:
        return parts[0]
    found: list[float] = []
    for one in parts:
        found += one
    found.sort()  # finds the parts, which are in order, and merges them
    return found


def within(one: Lengths, *shares: float) -> list[timedelta | None]:
    """The shortest time by which each of these shares, the smallest first, have it.

    None while too many wait to say it. Who waits was watched for at least as long as that. Between two of
    them the share that is without it falls by equal steps, so only those who wait are walked through.
    """
    found: list[timedelta | None] = []
    limits = [1 - share + _EPSILON for share in shares]
    without, seen, still = 1.0, 0, len(one.happened) + len(one.waiting)
    for watched in chain(one.waiting, (inf,)):
        upto = bisect_right(one.happened, watched, seen)
        if upto > seen:
            left = without * (still - (upto - seen)) / still
            while len(found) < len(limits) and left <= limits[len(found)]:
                steps = max(ceil(still * (1 - limits[len(found)] / without)), 1)
                found.append(timedelta(microseconds=one.happened[seen + steps - 1]))
            if len(found) == len(limits):
                return found
            without, still, seen = left, still - (upto - seen), upto
        still -= 1
    return found + [None] * (len(limits) - len(found))
