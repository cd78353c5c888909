"""Four honest readings of one score, side by side (R62).

Who counts once: a person, an account, a euro of annual value, or only those who decide? Each reading comes
with its answers, its accounts and how much of what it speaks for it has heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from services.scoring.domain.design import Design, Voices, design_of, student
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Score, Split, interval_of, is_difference, scored
from shared.contracts.model import Persona


class Definition(StrEnum):
    """Who counts once."""

    RESPONDENT = "respondent"
    ACCOUNT = "account"
    VALUE = "value"
    DECISION_MAKERS = "decision_makers"


class Voice(NamedTuple):
    """What the people of one persona of one account said; the account is empty where it is not known."""

    account: str
    persona: str
    voices: Voices


@dataclass(frozen=True, slots=True)
class Defined:
    """One reading: the score, the accounts in it, and what share it has heard of what it speaks for.

    `covered` is a share of people asked (respondents), of known accounts (accounts, decision makers: those
    with such a person), or of known annual value; None where the whole is not known.
    """

    definition: Definition
    score: Score
    accounts: int
    covered: float | None


@dataclass(frozen=True, slots=True)
class Known:
    """What the directory knows: annual value by account, accounts with decision makers, people asked."""

    values: Mapping[str, float]
    accounts: int = 0
    with_decision_makers: int = 0
    asked: int = 0


def definitions(metric: Metric, voices: Sequence[Voice], known: Known) -> list[Defined]:
    """All four readings of one metric of one family."""
    by_account = _merged(voices)
    named = {account: one for account, one in by_account.items() if account}
    deciding = _merged(voice for voice in voices if voice.persona == Persona.DECISION_MAKER)
    valued = {account: one for account, one in named.items() if known.values.get(account, 0) > 0}
    heard_value = sum(known.values[account] for account in valued)
    people = sum(one.n for one in by_account.values())
    return [
        Defined(
            Definition.RESPONDENT,
            pooled(metric, by_account.values()),
            len(named),
            _share(people, max(known.asked, people) if known.asked else 0),
        ),
        Defined(
            Definition.ACCOUNT,
            weighted(metric, [(one, 1.0) for one in named.values()]),
            len(named),
            _share(len(named), known.accounts),
        ),
        Defined(
            Definition.VALUE,
            weighted(metric, [(one, known.values[account]) for account, one in valued.items()]),
            len(valued),
            _share(heard_value, sum(known.values.values())),
        ),
        Defined(
            Definition.DECISION_MAKERS,
            pooled(metric, deciding.values()),
            len(deciding),
            _share(len(deciding), known.with_decision_makers),
        ),
    ]


def pooled(metric: Metric, accounts: Iterable[Voices], population: int | None = None) -> Score:
    """Every answer counts once; the interval knows that colleagues answer alike."""
    voices = list(accounts)
    n, high, low = (sum(column) for column in zip(*voices, strict=True)) if voices else (0, 0, 0)
    design = design_of(voices, difference=is_difference(metric), population=population)
    return scored(metric, Split(high, n - high - low, low), design)


def weighted(metric: Metric, accounts: Sequence[tuple[Voices, float]]) -> Score:
    """Every account counts by its weight, whatever number of its people answered.

    The interval follows from how much accounts differ (linearisation), with the few-answers correction of
    the plain score; it is never narrower than if every answer stood for itself.
    """
    n, high, low = (sum(one[0][place] for one in accounts) for place in range(3))
    parts = Split(high, n - high - low, low)
    whole = sum(weight for _, weight in accounts)
    if n == 0 or whole <= 0:
        return Score(metric, Split(0, 0, 0), None, None, None)
    shares = [(weight / whole, one.high / one.n, one.low / one.n) for one, weight in accounts]
    highs, lows = (sum(share[0] * share[place] for share in shares) for place in (1, 2))
    worth = _worth(metric, accounts, shares, (highs, lows))
    found = interval_of(metric, min(highs, 1), min(lows, 1), worth)
    value = highs - lows if is_difference(metric) else highs
    return Score(
        metric, parts, 100 * value, 100 * found.low, 100 * found.high, Design(n / worth, len(accounts))
    )


def _worth(
    metric: Metric,
    accounts: Sequence[tuple[Voices, float]],
    shares: Sequence[tuple[float, float, float]],
    middle: tuple[float, float],
) -> float:
    """How many independent answers a weighted mean of accounts is worth."""
    k, n = len(accounts), sum(one.n for one, _ in accounts)
    worth = 1 / sum(share**2 / one.n for (share, _, _), (one, _) in zip(shares, accounts, strict=True))
    sign = 1 if is_difference(metric) else 0
    mean = middle[0] - sign * middle[1]
    if k > 1:
        variance = k / (k - 1) * sum(w**2 * (high - sign * low - mean) ** 2 for w, high, low in shares)
        spread = middle[0] + sign * middle[1] - mean**2
        worth = min(worth, spread / variance) if variance > 0 and spread > 0 else worth
    if k < n:
        worth *= (student(n - 1) / student(max(k - 1, 1))) ** 2
    return worth


def _merged(voices: Iterable[Voice]) -> dict[str, Voices]:
    """What each account said, whoever of it; whoever belongs to none stands alone as far as is known."""
    found: dict[str, Voices] = {}
    for account, _, one in voices:
        known = found.get(account, Voices(0, 0, 0))
        found[account] = Voices(known.n + one.n, known.high + one.high, known.low + one.low)
    return found


def _share(part: float, whole: float) -> float | None:
    return min(1.0, part / whole) if whole > 0 else None
