"""What an improvement has changed: the score of its programme 90 days before and after it shipped (R76).

Answers of one account resemble each other, so the interval is as wide as if each account had answered once.
Where fewer than five accounts answered on one side, nothing is said. A day after the 90 days it is counted
for good: what is withdrawn or merged later does not change what was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contracts.forms import QuestionType
from shared.contracts.improvements import MeasuredEffect, Verdict
from shared.intervals import Interval, adjusted_wald, difference, wilson

SPAN = timedelta(days=90)
"""How long before and after shipping answers count."""
SETTLES = timedelta(days=1)
"""How long after that answers may still be on their way, or be found to be a machine's."""
FEW = 5
"""With fewer accounts than this on one side nothing is said."""
SCORED = (QuestionType.NPS, QuestionType.NPS5, QuestionType.CSAT, QuestionType.CES)
_DIFFERENCES = frozenset({QuestionType.NPS, QuestionType.NPS5})


@dataclass(frozen=True, slots=True)
class Tally:
    """Answers of one side by mood, and from how many accounts they came."""

    happy: int = 0
    passive: int = 0
    unhappy: int = 0
    accounts: int = 0

    @property
    def n(self) -> int:
        """How many answers."""
        return self.happy + self.passive + self.unhappy

    def score(self, scale: QuestionType) -> float | None:
        """NPS in points, shares in percent; None while nobody answered."""
        if not self.n:
            return None
        return 100 * (self.happy - (self.unhappy if scale in _DIFFERENCES else 0)) / self.n

    def around(self, scale: QuestionType) -> Interval:
        """The 95 % interval around the score of at least one answer, as if each account had answered once."""
        weight = min(1.0, self.accounts / self.n)
        happy, n = self.happy * weight, self.n * weight
        unhappy = self.unhappy * weight
        found = adjusted_wald(happy, unhappy, n) if scale in _DIFFERENCES else wilson(happy, n)
        return Interval(100 * found.low, 100 * found.high)


@dataclass(frozen=True, slots=True)
class Effect:
    """The score on one scale before and after; `points` and its interval are None where too few answered."""

    scale: QuestionType
    before: Tally
    after: Tally
    verdict: Verdict
    points: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def told(self) -> MeasuredEffect:
        """As others are told."""
        return MeasuredEffect(
            scale=self.scale,
            verdict=self.verdict,
            n_before=self.before.n,
            n_after=self.after.n,
            accounts_before=self.before.accounts,
            accounts_after=self.after.accounts,
            before=self.before.score(self.scale),
            after=self.after.score(self.scale),
            points=self.points,
            low=self.low,
            high=self.high,
        )


FRESH = timedelta(hours=1)
"""How long what was counted so far is shown before it is counted again."""


@dataclass(frozen=True, slots=True)
class Cases:
    """How many cases ended with a cause, of those opened before and since."""

    before: int
    since: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What an improvement has changed, counted once the 90 days are over.

    Attributes:
        effects: the scores of its programme, by scale.
        cases: those that its theme was the cause of.
        at: when they were counted; what happens to an answer after that changes nothing here.
    """

    effects: tuple[Effect, ...]
    cases: Cases
    at: datetime


def effect(scale: QuestionType, before: Tally, after: Tally) -> Effect:
    """Compare both sides."""
    was, now = before.score(scale), after.score(scale)
    if min(before.accounts, after.accounts) < FEW or was is None or now is None:
        return Effect(scale, before, after, Verdict.TOO_FEW)
    around = difference(was, before.around(scale), now, after.around(scale))
    verdict = Verdict.NO_DETECTABLE_CHANGE
    if around.low > 0 or around.high < 0:
        verdict = Verdict.BETTER if now > was else Verdict.WORSE
    return Effect(scale, before, after, verdict, now - was, around.low, around.high)


def can_be_told(effects: Sequence[Effect], shipped_at: datetime, now: datetime) -> bool:
    """Whether something can be said of it, or the time is over and nothing ever will be."""
    return now >= shipped_at + SPAN or any(one.verdict is not Verdict.TOO_FEW for one in effects)
