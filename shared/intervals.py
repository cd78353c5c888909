"""Intervals that stay honest with few answers; business accounts are often no more than twenty (R63).

NPS is a difference of two shares of one sample. Its interval is the adjusted Wald interval with 3 added
answers, three quarters of one to the promoters and as many to the detractors: Goodman's simultaneous method
(1964) in the form that Rocks, "Interval Estimation for the Net Promoter Score", The American Statistician
70 (2016), found to keep closest to its nominal coverage for small samples, and that Sauro and Lewis
recommend (measuringu.com/nps-confidence-intervals). Where one of the three groups is empty the NPS is one
share in disguise, and there that interval is too narrow by a hair; it is widened to hold the share's own.

Shares (CSAT, CES, response rates) get Wilson's score interval (1927), with the ends next to 0 and 1 mended
as Brown, Cai and DasGupta, "Interval Estimation for a Binomial Proportion", Statistical Science 16 (2001),
propose. Counts may be fractions: a clustered sample counts for fewer answers than it has.

A count of things that happen now and then, each by itself, gets Byar's approximation of the exact limits of a
Poisson mean (Breslow and Day, Statistical Methods in Cancer Research II, IARC 1987, section 2.3).

The interval of a difference of two samples is put together from those of its parts (square and add: Newcombe,
Statistics in Medicine 17, 1998; Zou and Donner, Statistics in Medicine 27, 2008). Where the samples overlap,
their correlation is counted in (Zou, Psychological Methods 12, 2007).
"""

from __future__ import annotations

from math import inf, isinf, sqrt

from shared.values import Value

Z95 = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""

_RARE = (0.0, 0.05129329438755058, 0.35536151066700505, 0.8176914460762098)
"""Lower 95 % limit of a Poisson mean after 0, 1, 2 and 3 events."""
_FEW_TRIALS = 50


class Interval(Value, frozen=True):
    """Both ends, as shares: -1 to 1 for a difference, 0 to 1 for a share."""

    low: float
    high: float


def adjusted_wald(promoters: float, detractors: float, n: float, z: float = Z95) -> Interval:
    """Interval of (promoters - detractors) / n.

    It is cut at -1 and 1 and always holds the observed difference: with a single answer the adjusted
    interval would just miss it.

    Raises:
        ValueError: there is no answer, or the counts do not fit together.
    """
    passives = n - promoters - detractors
    if n <= 0 or min(promoters, detractors) < 0 or passives < -1e-9 * n:
        raise ValueError(f"no interval for {promoters} promoters and {detractors} detractors among {n}")
    high, low = (promoters + 0.75) / (n + 3), (detractors + 0.75) / (n + 3)
    middle = high - low
    margin = z * sqrt((high + low - middle**2) / (n + 3))
    ends = [middle - margin, middle + margin, (promoters - detractors) / n]
    if detractors <= 0:
        ends += _ends(wilson(promoters, n, z))
    if promoters <= 0:
        ends += [-end for end in _ends(wilson(detractors, n, z))]
    if passives <= 1e-9 * n:
        ends += [2 * end - 1 for end in _ends(wilson(min(promoters, n), n, z))]
    return Interval(max(-1.0, min(ends)), min(1.0, max(ends)))


def wilson(hits: float, n: float, z: float = Z95) -> Interval:
    """Interval of the share hits / n.

    Raises:
        ValueError: there is no trial, or more hits than trials.
    """
    if n <= 0 or not 0 <= hits <= n:
        raise ValueError(f"no interval for {hits} of {n}")
    share = hits / n
    scale = 1 + z**2 / n
    middle = (share + z**2 / (2 * n)) / scale
    margin = z * sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / scale
    # Rounding may leave the end that is exactly 0 or 1 a hair beside it.
    low = max(0.0, min(middle - margin, share, _rare(hits, n)))
    return Interval(low, min(1.0, max(middle + margin, share, 1 - _rare(n - hits, n))))


def happened(times: int, z: float = Z95) -> Interval:
    """Interval of how often something is to be expected that happened so many times, as a number of times.

    Raises:
        ValueError: fewer times than none.
    """
    if times < 0:
        raise ValueError(f"nothing happens {times} times")
    more = times + 1
    high = more * (1 - 1 / (9 * more) + z / (3 * sqrt(more))) ** 3
    if not times:
        return Interval(0.0, high)
    return Interval(times * max(0.0, 1 - 1 / (9 * times) - z / (3 * sqrt(times))) ** 3, high)


def difference(
    was: float, around_was: Interval, now: float, around_now: Interval, correlation: float = 0.0
) -> Interval:
    """Interval of now - was, each with the interval around it, all in one unit.

    Args:
        was: the one estimate.
        around_was: its interval.
        now: the other.
        around_now: its interval.
        correlation: of the two estimates, where they have answers in common (Zou 2007).
    """
    points = now - was
    down = _together(now - around_now.low, around_was.high - was, correlation)
    up = _together(around_now.high - now, was - around_was.low, correlation)
    return Interval(points - down, points + up)


def _together(one: float, other: float, correlation: float) -> float:
    return sqrt(max(0.0, one**2 + other**2 - 2 * correlation * one * other))


def _ends(interval: Interval) -> list[float]:
    return [interval.low, interval.high]


def _rare(hits: float, n: float) -> float:
    """Lower end for a handful of hits; infinite where Wilson's own needs no mending."""
    most = 2 if n <= _FEW_TRIALS else 3
    if isinf(n) or not 0 < hits <= most:
        return inf
    whole = min(int(hits), most - 1)
    limit = _RARE[whole] + (hits - whole) * (_RARE[whole + 1] - _RARE[whole])
    return limit / n
