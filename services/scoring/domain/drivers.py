"""What goes with the score? Attributes that people rated, and those of the event, unasked.

Importance is the rank correlation (Spearman) of an attribute's rating with the answer to the primary
question; performance is the share of people who are satisfied with it (4 and 5 of 5). An attribute is a
focus area where it goes with the score and less than the usual share is satisfied (R66). Who compares twenty
attributes finds one by chance, so every chance is raised for all that were compared (Benjamini and
Hochberg). A correlation is no cause; the page says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import atanh, isinf, sqrt
from statistics import NormalDist
from typing import NamedTuple

from services.scoring.domain.change import Change, compare, discoveries
from services.scoring.domain.design import APART, Clustering, Hits, Sums
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import TOO_FEW, interval_of, score
from shared.intervals import wilson

SATISFIED, UNHAPPY = 4, 2
"""From 4 of 5 on somebody is satisfied with an attribute, up to 2 unhappy (R3, R65)."""

CERTAIN = 0.05
_ENOUGH = 10
"""Ratings beside a score that are needed before anything is said about importance."""
_RANK_VARIANCE = 1.06
"""Of Fisher's z of a rank correlation, times n - 3 (Fieller, Hartley and Pearson 1957)."""


class Quadrant(StrEnum):
    """Where an attribute lies: importance by performance."""

    FOCUS = "focus"
    KEEP = "keep"
    MINOR = "minor"
    FINE = "fine"
    UNKNOWN = "unknown"


class Rating(NamedTuple):
    """One person's rating of one attribute, beside the answer to the primary question."""

    attribute: str
    rating: int
    answer: int
    account: str


@dataclass(frozen=True, slots=True)
class Driver:
    """One attribute.

    Attributes:
        attribute: its id.
        satisfied: people who gave 4 or 5.
        neutral: people who gave 3.
        unhappy: people who gave 1 or 2.
        low: lower end of the interval of the satisfied share.
        high: upper end of it.
        importance: rank correlation with the answer, -1 to 1; None where too few rated it.
        chance: of such a correlation where there is none, all compared attributes counted in.
        quadrant: where it lies.
    """

    attribute: str
    satisfied: int
    neutral: int
    unhappy: int
    low: float
    high: float
    importance: float | None
    chance: float | None
    quadrant: Quadrant

    @property
    def n(self) -> int:
        """People who rated it."""
        return self.satisfied + self.neutral + self.unhappy

    @property
    def performance(self) -> float:
        """Share of people who are satisfied with it."""
        return self.satisfied / self.n


@dataclass(frozen=True, slots=True)
class _Rated:
    """All ratings of one attribute: how often each stood beside each answer, and what each account said."""

    pairs: Mapping[tuple[int, int], int]
    sums: Sums

    @property
    def n(self) -> int:
        """People who rated it."""
        return self.sums.n

    @property
    def worth(self) -> float:
        """The number of independent ratings they are worth: colleagues rate alike."""
        worth = self.sums.design().effective(self.n)
        return float(self.n) if isinf(worth) else worth


_FIELD = 32
"""Bits of a count. An account's counts lie side by side in one number: all are added up at once."""

_COUNT = (1 << _FIELD) - 1


class Ratings:
    """Ratings of attributes, added up as they are read: a page is made of thousands while somebody waits."""

    def __init__(self) -> None:
        self._beside: dict[int, list[tuple[str, int]]] = {}
        """Answer to the primary question -> ratings that stood beside it."""

        self._places: dict[str, int] = {}
        """Attribute -> the bit where its counts begin: of its ratings, and of the satisfied ones."""

        self._units: dict[tuple[str, int], int] = {}
        """Attribute and rating -> what is added for it to the counts of an account."""

        self._accounts: dict[str, int] = {}
        self._alone: list[int] = []
        """Counts of people of no account, each by itself."""

    def take(self, answer: int, account: str, rated: Sequence[tuple[str, int]]) -> None:
        """Add what one person rated, beside their answer to the primary question."""
        self._beside.setdefault(answer, []).extend(rated)
        try:
            counts = sum(map(self._units.__getitem__, rated))
        except KeyError:
            counts = sum(map(self._unit, rated))
        if account:
            self._accounts[account] = self._accounts.get(account, 0) + counts
        else:
            self._alone.append(counts)

    def _unit(self, one: tuple[str, int]) -> int:
        attribute, rating = one
        place = self._places.setdefault(attribute, 2 * _FIELD * len(self._places))
        unit = (1 << place) + ((rating >= SATISFIED) << place + _FIELD)
        self._units[one] = unit
        return unit

    def _given(self) -> dict[str, _Rated]:
        """All ratings by attribute."""
        pairs: dict[str, dict[tuple[int, int], int]] = {name: {} for name in self._places}
        for answer, rated in self._beside.items():
            for (attribute, rating), times in Counter(rated).items():
                pairs[attribute][rating, answer] = times
        # Most accounts said the same as many others.
        said = Counter([*self._accounts.values(), *self._alone])
        return {name: _Rated(pairs[name], _sums(said, place)) for name, place in sorted(self._places.items())}

    def drivers(self) -> list[Driver]:
        """The attributes that were rated: focus areas first, then by importance."""
        given = self._given()
        worths = {name: rated.worth for name, rated in given.items()}
        measured = [(name, *_importance(rated, worths[name])) for name, rated in given.items()]
        chances = discoveries([chance for _, _, chance in measured if chance is not None])
        raised = iter(chances)
        found = [
            _driver(
                name, given[name], worths[name], importance,
                next(raised) if chance is not None else None,
            )
            for name, importance, chance in measured
        ]  # fmt: skip
        placed = _placed(found)
        order = list(Quadrant)
        return sorted(placed, key=lambda d: (order.index(d.quadrant), -(d.importance or 0), d.attribute))


def drivers(ratings: Iterable[Rating]) -> list[Driver]:
    """The attributes of some ratings, each of another person."""
    given = Ratings()
    for attribute, rating, answer, account in ratings:
        given.take(answer, account, ((attribute, rating),))
    return given.drivers()


def _sums(said: Mapping[int, int], place: int) -> Sums:
    """Ratings of one attribute added up by account.

    Args:
        said: counts of an account -> accounts that have the same.
        place: where those of the attribute begin in them.
    """
    accounts = n = sizes = total = 0
    between = 0.0
    for counts, times in said.items():
        own = counts >> place
        if given := own & _COUNT:
            satisfied = own >> _FIELD & _COUNT
            accounts, n, total = accounts + times, n + times * given, total + times * satisfied
            sizes += times * given * given
            between += times * satisfied * satisfied / given
    return Sums(accounts, n, sizes, total, total, between)


def _driver(name: str, rated: _Rated, worth: float, importance: float | None, chance: float | None) -> Driver:
    n = rated.n
    satisfied = sum(times for (rating, _), times in rated.pairs.items() if rating >= SATISFIED)
    unhappy = sum(times for (rating, _), times in rated.pairs.items() if rating <= UNHAPPY)
    ends = wilson(min(satisfied / n * worth, worth), worth)
    return Driver(
        name, satisfied, n - satisfied - unhappy, unhappy, ends.low, ends.high, importance, chance,
        Quadrant.UNKNOWN,
    )  # fmt: skip


def _importance(rated: _Rated, worth: float) -> tuple[float | None, float | None]:
    if rated.n < _ENOUGH:
        return None, None
    together = _together(rated.pairs)
    if together is None:
        return None, None
    if worth <= 4:  # noqa: PLR2004 - n - 3 must leave something
        return together, 1.0
    z = atanh(max(-0.999999, min(0.999999, together))) * sqrt((worth - 3) / _RANK_VARIANCE)
    return together, 2 * (1 - NormalDist().cdf(abs(z)))


def spearman(first: Sequence[int], second: Sequence[int]) -> float | None:
    """Rank correlation with ties; None where one side does not vary."""
    return _together(Counter(zip(first, second, strict=True)))


def _together(pairs: Mapping[tuple[int, int], int]) -> float | None:
    """Rank correlation of pairs, each with how often it was seen."""
    n = sum(pairs.values())
    a, b = (_ranks(pairs, place) for place in (0, 1))
    middle = (n + 1) / 2
    across = sum(times * (a[x] - middle) * (b[y] - middle) for (x, y), times in pairs.items())
    spread = sqrt(
        sum(times * (a[x] - middle) ** 2 for (x, _), times in pairs.items())
        * sum(times * (b[y] - middle) ** 2 for (_, y), times in pairs.items())
    )
    return across / spread if spread else None


def _ranks(pairs: Mapping[tuple[int, int], int], place: int) -> dict[int, float]:
    """Ranks from 1 by value; equal values share the mean of theirs."""
    seen: Counter[int] = Counter()
    for pair, times in pairs.items():
        seen[pair[place]] += times
    rank: dict[int, float] = {}
    below = 0
    for value, times in sorted(seen.items()):
        rank[value] = below + (times + 1) / 2
        below += times
    return rank


def _placed(found: Sequence[Driver]) -> list[Driver]:
    """Put each into its quadrant, seen from the middle of all that can be compared."""
    known = [one for one in found if one.importance is not None]
    if not known:
        return list(found)
    important = sum(one.importance or 0 for one in known) / len(known)
    usual = sum(one.performance for one in known) / len(known)
    return [_in_quadrant(one, important, usual) for one in found]


def _in_quadrant(one: Driver, important: float, usual: float) -> Driver:
    if one.importance is None or one.chance is None:
        return one
    matters = one.chance <= CERTAIN and one.importance >= important
    good = one.performance >= usual
    names = {
        (True, False): Quadrant.FOCUS, (True, True): Quadrant.KEEP,
        (False, False): Quadrant.MINOR, (False, True): Quadrant.FINE,
    }  # fmt: skip
    return Driver(
        one.attribute, one.satisfied, one.neutral, one.unhappy, one.low, one.high, one.importance,
        one.chance, names[matters, good],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Effect:
    """A value of an attribute of the event, beside all other values of it.

    `change` is from the others to it; `chance` has all values that were compared counted in.
    """

    attribute: str
    value: str
    change: Change
    chance: float

    @property
    def certain(self) -> bool:
        """Whether it differs by more than chance explains."""
        return self.chance <= CERTAIN


def effects(
    metric: Metric,
    answers: Mapping[tuple[str, str], Histogram],
    clustering: Clustering = APART,
    bounds: Mapping[str, float] | None = None,
) -> list[Effect]:
    """What attributes of the event go with the score, without anybody having been asked; clearest first.

    Args:
        metric: what is scored.
        answers: by attribute and value.
        clustering: how all of them hang together by account.
        bounds: attribute -> how far colleagues have the same value of it, from 0 (by chance) to 1 (always);
            those of which nothing is known are taken to have the same.
    """
    whole: dict[str, Histogram] = {}
    for (attribute, _), histogram in answers.items():
        whole[attribute] = whole.get(attribute, Histogram.of(metric)) + histogram
    compared = []
    for (attribute, value), histogram in sorted(answers.items()):
        together = whole[attribute]
        rest, bound = together - histogram, (bounds or {}).get(attribute, 1.0)
        if histogram.n >= TOO_FEW and rest.n >= TOO_FEW:
            sides = [
                score(side, clustering.part(together.n, side.n, bound).design(side.n))
                for side in (rest, histogram)
            ]
            compared.append((attribute, value, compare(*sides)))
    chances = discoveries([change.chance or 0.0 for _, _, change in compared])
    found = [Effect(*one, chance) for one, chance in zip(compared, chances, strict=True)]
    return sorted(found, key=lambda e: (e.chance, e.attribute, e.value))


@dataclass(frozen=True, slots=True)
class Wish:
    """An attribute that people choose a partner by (R42): how many named it, of those who were asked.

    `low` and `high` are the interval of that share: what colleagues name counts as far as they differ.
    """

    attribute: str
    named: int
    asked: int
    low: float
    high: float


def wishes(choices: Iterable[tuple[str, Sequence[str]]]) -> list[Wish]:
    """How often each attribute was named; the most wanted first.

    Args:
        choices: what each person chose, after the account that they are of; of no account each stands alone.
    """
    asked: Counter[str] = Counter()
    named: dict[str, Counter[str]] = {}
    for number, (account, chosen) in enumerate(choices):
        who = account or f"alone {number}"
        asked[who] += 1
        for attribute in set(chosen):
            named.setdefault(attribute, Counter())[who] += 1
    found = [_wish(attribute, times, asked) for attribute, times in named.items()]
    return sorted(found, key=lambda wish: (-wish.named, wish.attribute))


def _wish(attribute: str, times: Mapping[str, int], asked: Mapping[str, int]) -> Wish:
    n, hits = sum(asked.values()), sum(times.values())
    seen = Hits(
        accounts=len(asked),
        n=n,
        sizes=sum(size * size for size in asked.values()),
        hits=hits,
        squares=sum(count * count for count in times.values()),
        across=sum(count * asked[who] for who, count in times.items()),
        between=sum(count * count / asked[who] for who, count in times.items()),
    )
    ends = interval_of(Metric.CSAT, hits / n, 0.0, seen.design().effective(n))
    return Wish(attribute, hits, n, ends.low, ends.high)
