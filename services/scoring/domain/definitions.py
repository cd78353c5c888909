"""Four honest readings of one score, side by side (R62).

Who counts once: a person, an account, a euro of annual value, or only those who decide? Each reading comes
with its answers, its accounts and how much of what it speaks for it has heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from services.scoring.domain.design import Design, Sums, Voices, design_of, student
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Score, Split, interval_of, is_difference, scored


class Definition(StrEnum):
    """Who counts once."""

    RESPONDENT = "respondent"
    ACCOUNT = "account"
    VALUE = "value"
    DECISION_MAKERS = "decision_makers"


@dataclass(frozen=True, slots=True)
class People:
    """What some people said, added up by account.

    Attributes:
        split: their answers by group.
        sums: the same by account; whoever belongs to none stands alone.
        accounts: that are known.
    """

    split: Split
    sums: Sums
    accounts: int


@dataclass(frozen=True, slots=True)
class Weighed:
    """Accounts added up, each with its weight: all that their weighted mean and its doubt depend on.

    An account says its high answers by all of its answers, less its low ones where a difference is scored.

    Attributes:
        accounts: accounts.
        split: their answers by group.
        whole: weights, added up.
        highs: weight times the share of high answers of each account, added up.
        lows: the same of low answers.
        thinness: squared weight by answers of each account, added up.
        squares: squared weights, added up.
        said: squared weight times what each account said, added up.
        spread: squared weight times what each account said, squared, added up.
    """

    accounts: int
    split: Split
    whole: float
    highs: float
    lows: float
    thinness: float
    squares: float
    said: float
    spread: float


@dataclass(frozen=True, slots=True)
class Told:
    """What was answered to one metric of one family.

    `equal` has each account with the same weight, `valued` by its annual value where that is known; `read`
    are the answers that were looked at, with those that say nothing to the metric.
    """

    everybody: People
    deciding: People
    equal: Weighed
    valued: Weighed
    read: int


_SILENT = People(Split(0, 0, 0), Sums(0, 0, 0, 0, 0, 0.0), 0)
_WEIGHTLESS = Weighed(0, Split(0, 0, 0), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
NOBODY = Told(_SILENT, _SILENT, _WEIGHTLESS, _WEIGHTLESS, 0)
"""Nobody answered."""


@dataclass(frozen=True, slots=True)
class Defined:
    """One reading: the score, the accounts in it, and what share it has heard of what it speaks for.

    `covered` is a share of people asked (respondents; whoever answered unasked is not among them), of known
    accounts (accounts, decision makers: those with such a person), or of known annual value; None where the
    whole is not known.
    """

    definition: Definition
    score: Score
    accounts: int
    covered: float | None


@dataclass(frozen=True, slots=True)
class Known:
    """What the directory knows: accounts, their annual value, those with decision makers.

    `answering` is the share of people asked who answered, by family; none where nobody was asked.
    """

    value: float = 0.0
    accounts: int = 0
    with_decision_makers: int = 0
    answering: Mapping[str, float] = field(default_factory=dict)


def definitions(metric: Metric, family: str, told: Told, known: Known) -> list[Defined]:
    """All four readings of one metric of one family."""
    return [
        Defined(
            Definition.RESPONDENT,
            _pooled(metric, told.everybody),
            told.everybody.accounts,
            _answered(told, known.answering.get(family)),
        ),
        Defined(
            Definition.ACCOUNT,
            weighted(metric, told.equal),
            told.equal.accounts,
            _share(told.equal.accounts, known.accounts),
        ),
        Defined(
            Definition.VALUE,
            weighted(metric, told.valued),
            told.valued.accounts,
            _share(told.valued.whole, known.value),
        ),
        Defined(
            Definition.DECISION_MAKERS,
            _pooled(metric, told.deciding),
            told.deciding.accounts,
            _share(told.deciding.accounts, known.with_decision_makers),
        ),
    ]


def pooled(metric: Metric, accounts: Iterable[Voices], population: int | None = None) -> Score:
    """Every answer counts once; the interval knows that colleagues answer alike."""
    voices = list(accounts)
    n, high, low = (sum(column) for column in zip(*voices, strict=True)) if voices else (0, 0, 0)
    design = design_of(voices, difference=is_difference(metric), population=population)
    return scored(metric, Split(high, n - high - low, low), design)


def _pooled(metric: Metric, people: People) -> Score:
    return scored(metric, people.split, people.sums.design())


def weighted(metric: Metric, told: Weighed) -> Score:
    """Every account counts by its weight, whatever number of its people answered.

    The interval follows from how much accounts differ (linearisation), with the few-answers correction of
    the plain score; it is never narrower than if every answer stood for itself.
    """
    n = told.split.n
    if n == 0 or told.whole <= 0:
        return Score(metric, Split(0, 0, 0), None, None, None)
    highs, lows = told.highs / told.whole, told.lows / told.whole
    worth = _worth(metric, told, highs, lows)
    found = interval_of(metric, min(highs, 1), min(lows, 1), worth)
    value = highs - lows if is_difference(metric) else highs
    return Score(
        metric, told.split, 100 * value, 100 * found.low, 100 * found.high, Design(n / worth, told.accounts)
    )


def _worth(metric: Metric, told: Weighed, highs: float, lows: float) -> float:
    """How many independent answers a weighted mean of accounts is worth."""
    k, n, whole = told.accounts, told.split.n, told.whole
    worth = whole**2 / told.thinness
    sign = 1 if is_difference(metric) else 0
    mean = highs - sign * lows
    if k > 1:
        apart = told.spread - 2 * mean * told.said + mean**2 * told.squares
        variance = k / (k - 1) * apart / whole**2
        spread = highs + sign * lows - mean**2
        worth = min(worth, spread / variance) if variance > 0 and spread > 0 else worth
    if k < n:
        worth *= (student(n - 1) / student(max(k - 1, 1))) ** 2
    return worth


def _answered(told: Told, answering: float | None) -> float | None:
    """The share of people asked who said something to the metric: of who answered, as many as of all."""
    share = _share(told.everybody.split.n, told.read)
    return None if answering is None or share is None else answering * share


def _share(part: float, whole: float) -> float | None:
    return min(1.0, part / whole) if whole > 0 else None
