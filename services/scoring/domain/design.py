"""How much a sample tells: colleagues answer alike, and of few customers many may have answered.

Answers of one account resemble each other, so ten answers of one account tell less than one answer of each
of ten. The design effect (Kish 1965) says how much less: 1 + (weighted mean answers per account - 1) times
the intraclass correlation, which is estimated by analysis of variance. With few accounts that estimate is
itself unsure; the effective number of answers is cut by the ratio of Student's quantiles as Korn and
Graubard propose (Survey Methodology 24, 1998).

Where everybody who could answer is known and was asked, what they would have said together is a finite
number: with 18 of 20 answers little doubt is left. The finite-population correction raises the effective
number of answers by (N - 1) / (N - n).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf, pi, sqrt, tan
from typing import NamedTuple

from shared.intervals import Z95

_P95 = 0.975
_MOST_EXACT = 2


class Voices(NamedTuple):
    """What one account said: answers, and how many of them were of the high and of the low group."""

    n: int
    high: int
    low: int


@dataclass(frozen=True, slots=True)
class Design:
    """What is known of a sample besides its counts.

    Attributes:
        effect: design effect by account, 1 or more.
        accounts: accounts that answered; 0 where not known, and then every answer counts as its own.
        population: people who could have answered, None where it is unknown or without end.
    """

    effect: float = 1.0
    accounts: int = 0
    population: int | None = None

    def effective(self, n: int) -> float:
        """The number of independent answers that `n` answers are worth; infinite for a full census."""
        worth = n / self.effect
        if 0 < self.accounts < n:
            worth *= (student(n - 1) / student(max(self.accounts - 1, 1))) ** 2
        if self.population is None:
            return worth
        left = self.population - n
        return worth * (self.population - 1) / left if left > 0 else inf


PLAIN = Design()
"""Nothing is known: every answer for itself, out of very many."""


@dataclass(frozen=True, slots=True)
class Sums:
    """A sample added up by account, which is all that its design depends on.

    `y` is what an account said together: its high answers, less its low ones where a difference is scored.

    Attributes:
        accounts: accounts that answered.
        n: their answers.
        sizes: squared answers of each account, added up.
        total: `y` of all.
        squares: squared answers, added up: those that count for or against.
        between: squared `y` by answer of each account, added up.
    """

    accounts: int
    n: int
    sizes: int
    total: int
    squares: int
    between: float

    @property
    def intraclass(self) -> float:
        """How much answers of one account resemble each other, from 0 (not at all) to 1 (all the same)."""
        k, n = self.accounts, self.n
        if k < 2 or n == k:  # noqa: PLR2004 - one account has no neighbour, lone answers have none either
            return 0.0
        usual = (n - self.sizes / n) / (k - 1)
        msb = (self.between - self.total * self.total / n) / (k - 1)
        msw = (self.squares - self.between) / (n - k)
        spread = msb + (usual - 1) * msw
        return min(1.0, max(0.0, (msb - msw) / spread)) if spread > 0 else 0.0

    def design(self, population: int | None = None) -> Design:
        """The design of the sample."""
        if self.n == 0:
            return Design(population=population)
        return Design(1 + (self.sizes / self.n - 1) * self.intraclass, self.accounts, population)


def summed(accounts: Iterable[Voices], *, difference: bool) -> Sums:
    """Add up what each account said.

    Args:
        accounts: what each account said; one that said nothing is none.
        difference: whether an answer counts 1, 0 or -1 as for NPS; else 1 or 0 as for a share.
    """
    k = n = sizes = total = squares = 0
    between = 0.0
    for voices in accounts:
        if voices.n == 0:
            continue
        y = voices.high - (voices.low if difference else 0)
        k, n, total = k + 1, n + voices.n, total + y
        sizes += voices.n**2
        squares += voices.high + (voices.low if difference else 0)
        between += y * y / voices.n
    return Sums(k, n, sizes, total, squares, between)


def design_of(accounts: Iterable[Voices], *, difference: bool, population: int | None = None) -> Design:
    """The design of a sample, from what each account said."""
    return summed(accounts, difference=difference).design(population)


def fitted(known: tuple[Design, int], n: int, population: int | None) -> Design:
    """The design for `n` of the answers, as if each account had as many in it as in the whole.

    Args:
        known: the design of the whole, and the answers that it was learned from.
        n: answers of the part.
        population: people who could have answered there.
    """
    design, learned = known
    accounts = max(1, round(design.accounts * n / learned)) if design.accounts and learned else 0
    return replace(design, accounts=accounts, population=max(population, n) if population else None)


@lru_cache(maxsize=4096)
def student(freedom: int) -> float:
    """Two-sided 95 % point of Student's distribution, for at least one degree of freedom.

    Exact for one and two; beyond, the Cornish-Fisher expansion (Abramowitz and Stegun 26.7.5), which is off
    by less than 0.3 % at three and vanishes from there.
    """
    if freedom == 1:
        return tan(pi * (_P95 - 0.5))
    if freedom == _MOST_EXACT:
        both = 2 * _P95 - 1
        return both / sqrt(2 * _P95 * (1 - _P95))
    z, v = Z95, float(freedom)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / v ** (power + 1) for power, term in enumerate(terms))
