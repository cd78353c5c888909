"""How much a sample tells: colleagues answer alike, and of few customers many may have answered.

Answers of one account resemble each other, so ten answers of one account tell less than one answer of each
of ten. The design effect (Kish 1965) says how much less: 1 + (weighted mean answers per account - 1) times
the intraclass correlation, which is estimated by analysis of variance. With few accounts that estimate is
itself unsure; the effective number of answers is cut by the ratio of Student's quantiles as Korn and
Graubard propose (Survey Methodology 24, 1998).

An account answers now and then, so the longer one listens the more answers there are of each. Two answers are
of one account with a chance that stays the same (Simpson, Nature 163, 1949), however many there are; the
effect grows with it. So what was learned from some answers holds for more of them, and for fewer.

Where everybody who could answer is known and was asked, what they would have said together is a finite
number: with 18 of 20 answers little doubt is left. The finite-population correction raises the effective
number of answers by (N - 1) / (N - n).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import expm1, inf, log1p, pi, sqrt, tan
from typing import NamedTuple

from shared.intervals import Z95
from shared.values import Value, altered

_P95 = 0.975
_MOST_EXACT = 2


class Voices(NamedTuple):
    """What one account said: answers, and how many of them were of the high and of the low group."""

    n: int
    high: int
    low: int


class Design(Value, frozen=True):
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

    @property
    def clustering(self) -> Clustering:
        """What of it holds for any number of answers."""
        n = self.n
        paired = (self.sizes - n) / (n * (n - 1)) if n > 1 else 0.0
        return Clustering(self.intraclass, paired, n, self.accounts)

    def design(self, population: int | None = None) -> Design:
        """The design of the sample."""
        if self.n == 0:
            return Design(population=population)
        return Design(1 + (self.sizes / self.n - 1) * self.intraclass, self.accounts, population)


class Clustering(Value, frozen=True):
    """How answers hang together by account, whatever number of them is looked at.

    Attributes:
        intraclass: how much answers of one account resemble each other, from 0 to 1.
        paired: chance that two answers are of one account, from 0 to 1.
        answers: from which it was learned; 0 where nothing is known, and then every answer is its own.
        accounts: of which they are.
        learned_at: when, where it is kept for a while; None: from the answers as they are.
    """

    intraclass: float = 0.0
    paired: float = 0.0
    answers: int = 0
    accounts: int = 0
    learned_at: datetime | None = None

    def design(self, n: int, population: int | None = None) -> Design:
        """The design of so many answers.

        Args:
            n: answers of any span.
            population: people who could have answered then, None where that is unknown or without end. Where
                more have answered, it is not known either.
        """
        effect = 1 + max(n - 1, 0) * self.paired * self.intraclass
        return Design(effect, self._heard(n), population if population and population >= n else None)

    def part(self, whole: int, n: int, bound: float = 1.0) -> Clustering:
        """That of a part of the answers.

        Two answers of one account are both in the part with the chance that one is, times the chance that a
        colleague of its writer is there, too: that is 1 where a customer is in one part with all its people,
        and no more than for anybody where colleagues fall into parts by chance.

        Args:
            whole: answers of all.
            n: answers of the part.
            bound: how far colleagues fall into the same part, from 0 (by chance) to 1 (always).
        """
        if not 1 < n < whole:
            return self
        together = bound * (whole - 1) / (n - 1) + 1 - bound
        return altered(self, paired=min(1.0, self.paired * together))

    def _heard(self, n: int) -> int:
        """Accounts that so many answers are of, if all of them answered as often as each other."""
        if not self.answers or n < 1:
            return 0
        if self.paired <= 0:
            return n
        if self.paired >= 1:
            return 1
        return min(n, max(1, round(-expm1(n * log1p(-self.paired)) / self.paired)))


@dataclass(frozen=True, slots=True)
class Hits:
    """How many of some answers say one thing, added up by account.

    What ten comments of one customer say is not what ten customers say. Things that few say are often said
    over and over by a few accounts while all others say nothing of it. The intraclass correlation, one number
    for all accounts, smooths that over; so the design effect is at least that of Rao and Scott ("A simple
    method for the analysis of clustered binary data", Biometrics 48, 1992), which follows from how far each
    account lies from the share of all.

    Attributes:
        accounts: accounts that answered.
        n: their answers.
        sizes: squared answers of each account, added up.
        hits: answers that say it.
        squares: squared hits of each account, added up.
        across: hits times answers of each account, added up.
        between: squared hits by answers of each account, added up.
    """

    accounts: int = 0
    n: int = 0
    sizes: int = 0
    hits: int = 0
    squares: int = 0
    across: int = 0
    between: float = 0.0

    def design(self) -> Design:
        """The design of the sample, as far as this one thing goes."""
        sums = Sums(self.accounts, self.n, self.sizes, self.hits, self.hits, self.between)
        design = sums.design()
        return Design(max(design.effect, self._spread()), design.accounts)

    def _spread(self) -> float:
        """Variance of the share between accounts, by what it would be if every answer stood for itself."""
        if self.accounts < 2 or not 0 < self.hits < self.n:  # noqa: PLR2004 - one account is not spread
            return 1.0
        share = self.hits / self.n
        squared = self.squares - 2 * share * self.across + share * share * self.sizes
        return self.accounts / (self.accounts - 1) * squared / (self.n * share * (1 - share))


APART = Clustering()
"""Nothing is known: every answer for itself."""


def together(parts: Iterable[tuple[int, Clustering]], alike: float = 0.0) -> Clustering:
    """That of the answers to several programmes, of each of which it is known how they hang together.

    How many accounts answered more than one of them is not known, so every account is taken to have answered
    all of them: an account then has as many answers as in each of them together, and never more (by Cauchy
    and Schwarz).

    Args:
        parts: answers of each programme on the days that are looked at, and how they hang together.
        alike: how far colleagues answer alike whichever programme they answer; the programme in which they
            do it most counts where that is more.
    """
    counted = [(n, one) for n, one in parts if n > 0]
    if len(counted) <= 1:
        return counted[0][1] if counted else APART
    whole = sum(n for n, _ in counted)
    of_each = sum((n - 1) * one.paired + 1 for n, one in counted)
    return Clustering(
        intraclass=max(alike, *(one.intraclass for _, one in counted)),
        paired=min(1.0, (of_each - 1) / (whole - 1)),
        answers=sum(one.answers for _, one in counted),
        accounts=sum(one.accounts for _, one in counted),
        learned_at=min((at for _, one in counted if (at := one.learned_at)), default=None),
    )


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
