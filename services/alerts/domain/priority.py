"""Which of two cases goes first when both wait: how much is at stake, in words (R59, R60, R76)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from shared.contracts.forms import SCALES, QuestionType
from shared.contracts.model import Persona, Tier

RENEWAL_DAYS = 90
"""A contract that ends within so many days is at stake."""
LARGE = 50_000.0
"""Annual value from which on an account is large, unless the settings say otherwise."""


class Priority(IntEnum):
    """Rank of a case; higher goes first."""

    NORMAL = 1
    HIGH = 2
    URGENT = 3

    @property
    def word(self) -> str:
        """How people say it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Stake:
    """What is known about a case when its priority is asked."""

    tier: Tier | None
    lowest: int
    scale: QuestionType
    people: int
    personas: frozenset[Persona] = frozenset()
    renewal_on: date | None = None
    annual_value: float | None = None
    denied: bool = False


@dataclass(frozen=True, slots=True)
class Ranked:
    """A priority and why."""

    priority: Priority
    reasons: tuple[str, ...]


def rank(stake: Stake, today: date, large: float = LARGE) -> Ranked:
    """One point for each that holds: normal without any, high with one, urgent with two or more.

    An important account, a score at the very bottom, several unhappy people, one who decides among them, a
    renewal that is near or just missed, a large annual value, and that it was said to be mended and is not.
    """
    reasons: list[str] = []
    if stake.denied:
        reasons.append("the customer says that it is not mended")
    if stake.tier in {Tier.KEY, Tier.PREMIUM}:
        reasons.append(f"{'key' if stake.tier is Tier.KEY else 'premium'} account")
    low, high = SCALES.get(stake.scale, (0, 10))
    if stake.lowest <= low + (high - low) // 5:
        reasons.append("score at the bottom of the scale")
    if stake.people > 1:
        reasons.append(f"{stake.people} people are unhappy")
    if Persona.DECISION_MAKER in stake.personas:
        reasons.append("a decision maker is unhappy")
    if stake.renewal_on is not None and abs((stake.renewal_on - today).days) <= RENEWAL_DAYS:
        ahead = (stake.renewal_on - today).days
        when = f"in {ahead} days" if ahead > 1 else "tomorrow" if ahead == 1 else "due"
        reasons.append(f"renewal {when}")
    if stake.annual_value is not None and stake.annual_value >= large:
        reasons.append(f"worth {stake.annual_value:,.0f} a year")
    return Ranked(Priority(min(1 + len(reasons), Priority.URGENT)), tuple(reasons))
