"""How often intervals hold the truth where colleagues answer alike, in the ways they are made: by simulation.

Customers are drawn at random, each with a leaning of its own, and populations are drawn at random, too: the
mean is over populations of every kind, those next to 0 and 100 included. What is known of colleagues is
learned from the simulated answers alone, as the service learns it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from services.scoring.domain.design import Design, Sums
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Split, is_difference, scored
from services.scoring.domain.parts import Pairs

pytestmark = pytest.mark.requirement("R62", "R63")

POPULATIONS, ROUNDS = 50, 15
METRICS = (Metric.NPS, Metric.CSAT)
PARTS = 4

Whole = NDArray[np.int64]
Shares = NDArray[np.float64]


class Told(NamedTuple):
    """Of each answer its account, its group (0 high, 1 middle, 2 low), and the part that it is in."""

    account: Whole
    group: Whole
    part: Whole

    def of(self, which: NDArray[np.bool_]) -> Told:
        """Some of them."""
        return Told(self.account[which], self.group[which], self.part[which])

    @property
    def n(self) -> int:
        """How many they are."""
        return len(self.account)

    def split(self) -> Split:
        """Answers by group."""
        high, middle, low = np.bincount(self.group, minlength=3)
        return Split(int(high), int(middle), int(low))

    def sums(self, metric: Metric) -> Sums:
        """Added up by account."""
        sizes = np.bincount(self.account)
        value = (self.group == 0).astype(int) - (self.group == 2) * is_difference(metric)
        said = np.bincount(self.account, weights=value)
        heard = sizes > 0
        return Sums(
            int(heard.sum()), self.n, int((sizes**2).sum()), int(said.sum()), int((value**2).sum()),
            float((said[heard] ** 2 / sizes[heard]).sum()),
        )  # fmt: skip


class Customers(NamedTuple):
    """Customers whose people answer.

    Attributes:
        accounts: how many they are.
        alike: how much colleagues answer alike, 0 to 1.
        uneven: whether some answer twenty times as often as others.
        loyal: chance that somebody is in the part that most of the account are in.
    """

    accounts: int
    alike: float
    uneven: bool = False
    loyal: float = 0.0


def _told(draw: np.random.Generator, shares: Shares, answers: int, of: Customers) -> Told:
    """So many answers of some customers, out of a population of high, middle and low answers."""
    leaning = draw.gamma(np.maximum(shares * (1 / of.alike - 1), 1e-6), size=(of.accounts, 3)) + 1e-300
    upto = np.cumsum(leaning / leaning.sum(axis=1, keepdims=True), axis=1)
    pace = draw.gamma(1.5, 1, of.accounts) if of.uneven else np.ones(of.accounts)
    account = draw.choice(of.accounts, answers, p=pace / pace.sum())
    group = (draw.random(answers)[:, None] > upto[account, :2]).sum(axis=1)
    home = draw.integers(0, PARTS, of.accounts)
    at_home = draw.random(answers) < of.loyal
    return Told(account, group, np.where(at_home, home[account], draw.integers(0, PARTS, answers)))


def _pairs(told: Told) -> Pairs:
    """As they are counted in the answers of a family."""

    def of(label: Whole) -> float:
        counts = np.bincount(label)
        return float((counts * (counts - 1)).sum())

    both, colleagues = of(told.account * PARTS + told.part), of(told.account)
    return Pairs(colleagues, both, told.n * (told.n - 1) - colleagues, of(told.part) - both)


Designs = dict[Metric, Design]
Way = Callable[[np.random.Generator, Shares], tuple[Told, Designs]]


def _whole(answers: int, of: Customers) -> Way:
    """All answers of a span, which are all that is known."""

    def way(draw: np.random.Generator, shares: Shares) -> tuple[Told, Designs]:
        told = _told(draw, shares, answers, of)
        return told, {one: told.sums(one).clustering.design(answers) for one in METRICS}

    return way


def _span(answers: int, alike: float) -> Way:
    """Some answers among the newest two thousand, of two hundred customers, from which it was learned."""

    def way(draw: np.random.Generator, shares: Shares) -> tuple[Told, Designs]:
        newest = _told(draw, shares, 2000, Customers(200, alike, uneven=True))
        told = newest.of(np.arange(2000) < answers)
        return told, {one: newest.sums(one).clustering.design(answers) for one in METRICS}

    return way


def _part(loyal: float, alike: float) -> Way:
    """A fourth of the answers: colleagues are in it together, or anywhere."""

    def way(draw: np.random.Generator, shares: Shares) -> tuple[Told, Designs]:
        newest = _told(draw, shares, 1200, Customers(80, alike, loyal=loyal))
        told, bound = newest.of(newest.part == 0), _pairs(newest).bound
        return told, {
            one: newest.sums(one).clustering.part(newest.n, told.n, bound).design(told.n) for one in METRICS
        }

    return way


def _covered(way: Way, populations: Shares | None = None, rounds: int = ROUNDS) -> dict[Metric, Shares]:
    """By metric: how often the interval holds the truth of each population."""
    draw = np.random.default_rng(17)
    of = draw.dirichlet([1, 1, 1], POPULATIONS) if populations is None else populations
    held = {metric: np.zeros(len(of)) for metric in METRICS}
    for place, shares in enumerate(of):
        for _ in range(rounds):
            told, designs = way(draw, shares)
            parts = told.split()
            for metric, design in designs.items():
                truth = 100 * (shares[0] - shares[2] * is_difference(metric))
                found = scored(metric, parts, design)
                held[metric][place] += (found.low or 0) - 1e-9 <= truth <= (found.high or 0) + 1e-9
    return {metric: found / rounds for metric, found in held.items()}


ALIKE = (0.1, 0.3)
MANY = [
    _whole(answers, Customers(accounts, alike, uneven))
    for answers, accounts, uneven in ((50, 20, False), (100, 20, False), (100, 40, True), (400, 80, True))
    for alike in ALIKE
]
SPANS = [_span(answers, alike) for answers in (50, 100, 400) for alike in ALIKE]
BY_PART = [_part(loyal, alike) for loyal in (0.0, 0.7, 1.0) for alike in ALIKE]


@pytest.mark.parametrize(
    "ways", [MANY, SPANS, BY_PART], ids=["of the answers themselves", "of a span", "of a part"]
)
def test_where_colleagues_answer_alike_nineteen_of_twenty_intervals_hold_the_truth(ways: list[Way]) -> None:
    means = [found.mean() for way in ways for found in _covered(way).values()]
    assert 0.94 <= np.mean(means) <= 0.965
    assert 0.92 <= min(means) <= max(means) <= 0.98


def test_of_few_customers_intervals_are_wide_rather_than_wrong() -> None:
    for answers, accounts in ((8, 4), (20, 10), (50, 10)):
        for alike in ALIKE:
            for found in _covered(_whole(answers, Customers(accounts, alike))).values():
                assert 0.94 <= found.mean() <= 0.999, (answers, accounts, alike)


def test_at_eight_answers_of_four_customers_no_population_is_covered_less_than_nine_times_of_ten() -> None:
    corners = np.array(
        [[0.96, 0.02, 0.02], [0.8, 0.1, 0.1], [0.5, 0, 0.5], [0.3, 0.4, 0.3], [0.05, 0.9, 0.05]]
    )
    for alike in ALIKE:
        for found in _covered(_whole(8, Customers(4, alike)), corners, 100).values():
            assert found.min() >= 0.9


def test_who_forgets_colleagues_is_wrong_three_times_as_often() -> None:
    way = _whole(100, Customers(20, 0.3))

    def forgetting(draw: np.random.Generator, shares: Shares) -> tuple[Told, Designs]:
        told, _ = way(draw, shares)
        return told, dict.fromkeys(METRICS, Design())

    for found in _covered(forgetting).values():
        assert found.mean() < 0.85
