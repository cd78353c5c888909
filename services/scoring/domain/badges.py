"""A score that everybody may see, with the words of those who agreed (R84).

What is published has n and doubt beside it, and nothing is published from too few answers (R63): then not
even how few there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from services.scoring.domain.asking import Span
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import TOO_FEW, Score
from services.scoring.domain.windows import Window

USUAL_LEAST = 10
LEAST = TOO_FEW
"""No badge may ask for fewer answers than pages need to show a number to our own people."""
MOST_LEAST = 10_000

LABEL_CHARS = 80
MOST_QUOTES = 6
"""Quotes shown at most, the newest first."""


class Why(StrEnum):
    """Why a badge is taken back."""

    NOT_NEEDED = "not_needed"
    OUTDATED = "outdated"
    MISTAKE = "mistake"
    OBJECTION = "objection"


class Period(StrEnum):
    """The days that a badge tells of, always up to today; shorter ones say little in B2B."""

    DAYS_90 = "90"
    DAYS_365 = "365"

    @property
    def window(self) -> Window:
        """The window of the score pages."""
        return Window(self.value)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A badge as an operator wants it; `label` stands above the score, for everybody to read."""

    label: str
    programme: str
    metric: Metric
    period: Period = Period.DAYS_365
    least: int = USUAL_LEAST


@dataclass(frozen=True, slots=True)
class Badge:
    """A badge as it stands.

    Attributes:
        id: by which operators know it.
        key: by which everybody does; nobody can guess it.
        family: of the programme when it was published; other families are never in it (R6).
        published_by, taken_back_by: who did it, by id.
        reason: why it was taken back; empty while it stands.
    """

    id: UUID
    key: str
    wanted: Wanted
    family: str
    published_at: datetime
    published_by: str
    taken_back_at: datetime | None = None
    taken_back_by: str = ""
    reason: str = ""

    @property
    def stands(self) -> bool:
        """Whether everybody may see it."""
        return self.taken_back_at is None


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of somebody who agreed, without anything that leads to them but the month."""

    words: str
    language: str
    day: date


@dataclass(frozen=True, slots=True)
class Shown:
    """What everybody sees; `score` is None, and there are no quotes, while there are too few answers."""

    badge: Badge
    span: Span
    score: Score | None
    quotes: tuple[Quote, ...]


def shown(badge: Badge, span: Span, found: Score | None, quotes: Iterable[Quote]) -> Shown:
    """Decide what may be seen.

    Args:
        badge: which.
        span: the days it tells of.
        found: the score of these days; None while nobody answered.
        quotes: words of happy people who agree, as chosen by an operator.
    """
    if found is None or found.value is None or found.n < max(badge.wanted.least, LEAST):
        return Shown(badge, span, None, ())
    said = [one for one in quotes if one.words.strip()]
    return Shown(badge, span, found, tuple(said[:MOST_QUOTES]))
