"""When do more customers leave than before, by more than chance explains?

Few customers leave, and they leave one by one: the last 30 days are held against the 180 before by the exact
conditional test of two Poisson rates (Przyborowski and Wilenski, *Biometrika* 31, 1940). Of all who left in
both spans, those of the last 30 days are binomial, with the share of days that accounts were customers in.
Where renewals are told, too, Fisher's exact test asks of those whose contract came up whether a larger part
left: many contracts end in December, and that is no rise. Both have to say so.

It is looked every day, and whoever looks that often finds something by chance sooner or later (R68). So the
bar is one in a thousand for a look. By simulation a steady house is told wrongly once in fifteen years where
thirty customers leave in a month, and more seldom where fewer do.

Many who leave from one tier or product may drown among all others, so each is looked at by itself, too, all
of them together at one in a thousand once more: each at its share (Bonferroni). Of how many customers left in
both spans together the tests know nothing, so a tier or product of fewer than five is none of them (Tarone,
*Biometrics* 46, 1990).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from math import exp, lgamma, log

from services.scoring.domain.asking import Span
from services.scoring.domain.dropping import NOW_DAYS
from shared.intervals import wilson

CHANCE = 0.001
"""So seldom a look finds such a rise where nothing changed."""

BEFORE_DAYS = 180
LEAST_LEFT = 5
"""Fewer customers that left in the last 30 days are no rise."""

Part = tuple[str, str]
"""Some customers: `tier` or `product`, and which."""

WHOLE: Part = ("", "")
"""All customers."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """Who stayed and who left in one span.

    Attributes:
        left: accounts that left; who had left already and did not come back leaves no second time.
        renewed: accounts whose contract was renewed.
        account_days: days on which accounts were customers, added up over all of them.
        days: of the span.
    """

    left: int
    renewed: int
    account_days: int
    days: int

    @property
    def accounts(self) -> float:
        """Customers on a usual day."""
        return self.account_days / self.days

    @property
    def rate(self) -> float:
        """Percent of the customers that leave in 30 days."""
        return 100 * NOW_DAYS * self.left / self.account_days if self.account_days else 0.0


@dataclass(frozen=True, slots=True)
class Rise:
    """More customers left than before.

    Attributes:
        before: the 180 days before.
        after: the last 30 days.
        expected: accounts that would have left in the 30 days at the rate of before.
        low: they left at least so many times as often as before,
        high: and at most so many times, both with 95 %; None where nobody had left before.
        chance: of such a rise where nothing changed, in as many tiers and products as were looked at.
        part: of which customers.
    """

    before: Leaving
    after: Leaving
    expected: float
    low: float
    high: float | None
    chance: float
    part: Part = WHOLE


@dataclass(frozen=True, slots=True)
class Told:
    """A rise as it was told on `day`; on `seen` it was last there. The rest is as in `Rise`.

    `dimension` is tier or product and `value` which, both empty for all customers. `accounts_...` are
    customers on a usual day, `before` and `after` percent of them that left in 30 days; `happened` are
    releases, incidents and changes of those 30 days: when, kind, label.
    """

    day: date
    seen: date
    dimension: str
    value: str
    left_before: int
    left_after: int
    renewed_before: int
    renewed_after: int
    accounts_before: int
    accounts_after: int
    before: float
    after: float
    expected: float
    low: float
    high: float | None
    chance: float
    happened: Sequence[tuple[datetime, str, str]] = ()


def spans(today: date) -> tuple[Span, Span]:
    """The last 30 days, and the 180 before them."""
    first = today - timedelta(days=NOW_DAYS - 1)
    return Span(first, today), Span(first - timedelta(days=BEFORE_DAYS), first - timedelta(days=1))


def rises(counted: Mapping[Part, tuple[Leaving, Leaving]]) -> list[Rise]:
    """Where more customers leave than before: among all of them first, then the surest of tiers and products.

    Args:
        counted: of all customers and of each part the span before and the one that is looked at.
    """
    compared = [part for part, spans in counted.items() if part != WHOLE and _may_rise(*spans)]
    found = [
        replace(one, part=part)
        for part in compared
        if (one := rise(*counted[part], looks=len(compared))) is not None
    ]
    return [*_whole(counted), *sorted(found, key=lambda one: (one.chance, one.part))]


def _whole(counted: Mapping[Part, tuple[Leaving, Leaving]]) -> Iterator[Rise]:
    if WHOLE in counted and (found := rise(*counted[WHOLE])) is not None:
        yield found


def _may_rise(before: Leaving, now: Leaving) -> bool:
    return before.left + now.left >= LEAST_LEFT and before.account_days > 0 and now.account_days > 0


def rise(before: Leaving, now: Leaving, looks: int = 1) -> Rise | None:
    """Whether more customers leave than before; None where chance may explain it, or too few left.

    Args:
        before: the span before.
        now: the span that is looked at.
        looks: at how many parts it is looked at once.
    """
    if now.left < LEAST_LEFT or not before.account_days:
        return None
    both = before.left + now.left
    odds = now.account_days / before.account_days
    chance = _binomial(now.left, both, odds / (1 + odds))
    if before.renewed and now.renewed:
        chance = max(chance, _fisher(now, before))
    chance = min(1.0, chance * looks)
    if chance > CHANCE:
        return None
    around = wilson(now.left, both)
    return Rise(
        before,
        now,
        expected=before.left * odds,
        low=around.low / (1 - around.low) / odds,
        high=around.high / (1 - around.high) / odds if before.left else None,
        chance=chance,
    )


def _binomial(hits: int, of: int, share: float) -> float:
    """The chance of so many hits, or more."""
    return min(
        1.0,
        sum(exp(_choose(of, k) + k * log(share) + (of - k) * log(1 - share)) for k in range(hits, of + 1)),
    )


def _fisher(now: Leaving, before: Leaving) -> float:
    """The chance that of the contracts that came up now so many were not renewed, or more."""
    here, there, left = now.left + now.renewed, before.left + before.renewed, now.left + before.left
    return min(
        1.0,
        sum(
            exp(_choose(here, k) + _choose(there, left - k) - _choose(here + there, left))
            for k in range(max(now.left, left - there), min(here, left) + 1)
        ),
    )


def _choose(n: int, k: int) -> float:
    """The logarithm of the ways to choose k of n."""
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
