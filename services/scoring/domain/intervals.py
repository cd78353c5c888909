"""Intervals that stay honest with few answers; business accounts are often no more than twenty (R63).

NPS is a difference of two shares of one sample. Its interval is the adjusted Wald interval with 3 added
answers, three quarters of one to the promoters and as many to the detractors: Goodman's simultaneous method
(1964) in the form that Rocks, "Interval Estimation for the Net Promoter Score", The American Statistician
70 (2016), found to keep closest to its nominal coverage for small samples, and that Sauro and Lewis
recommend (measuringu.com/nps-confidence-intervals). Shares (CSAT, CES, response rates) get Wilson's score
interval (1927).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z95 = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Both ends, as shares: -1 to 1 for a difference, 0 to 1 for a share."""

    low: float
    high: float


def adjusted_wald(promoters: int, detractors: int, n: int, z: float = Z95) -> Interval:
    """Interval of (promoters - detractors) / n.

    It is cut at -1 and 1 and always holds the observed difference: with a single answer the adjusted
    interval would just miss it.

    Raises:
        ValueError: there is no answer, or the counts do not fit together.
    """
    if n <= 0 or promoters < 0 or detractors < 0 or promoters + detractors > n:
        raise ValueError(f"no interval for {promoters} promoters and {detractors} detractors among {n}")
    high, low = (promoters + 0.75) / (n + 3), (detractors + 0.75) / (n + 3)
    middle = high - low
    margin = z * sqrt((high + low - middle**2) / (n + 3))
    seen = (promoters - detractors) / n
    return Interval(max(-1.0, min(middle - margin, seen)), min(1.0, max(middle + margin, seen)))


def wilson(hits: int, n: int, z: float = Z95) -> Interval:
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
    return Interval(max(0.0, min(middle - margin, share)), min(1.0, max(middle + margin, share)))
