"""Which of two cases goes first when both wait: how much is at stake, in words (R76)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from shared.contracts.forms import SCALES, QuestionType
from shared.contracts.model import Tier


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


@dataclass(frozen=True, slots=True)
class Ranked:
    """A priority and why."""

    priority: Priority
    reasons: tuple[str, ...]


def rank(stake: Stake) -> Ranked:
    """One point each for an important account, a score at the very bottom, and several unhappy people."""
    reasons: list[str] = []
    if stake.tier in {Tier.KEY, Tier.PREMIUM}:
        reasons.append(f"{'key' if stake.tier is Tier.KEY else 'premium'} account")
    low, high = SCALES.get(stake.scale, (0, 10))
    if stake.lowest <= low + (high - low) // 5:
        reasons.append("score at the bottom of the scale")
    if stake.people > 1:
        reasons.append(f"{stake.people} people are unhappy")
    return Ranked(Priority(min(1 + len(reasons), Priority.URGENT)), tuple(reasons))
