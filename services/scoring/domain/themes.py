"""Themes counted: how often each is named, how it is meant, whether it is named more than before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.scoring.domain.change import Change, Verdict, compare, discoveries
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import TOO_FEW, Score, Split, scored
from shared.intervals import Interval, wilson

CERTAIN = 0.05


class Course(StrEnum):
    """Where a theme goes, as far as can be said."""

    RISING = "rising"
    FALLING = "falling"
    STEADY = "no_detectable_change"
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True)
class Named:
    """How often a theme was named, by how it was meant."""

    negative: int = 0
    neutral: int = 0
    positive: int = 0

    @property
    def n(self) -> int:
        """Comments that name it."""
        return self.negative + self.neutral + self.positive


@dataclass(frozen=True, slots=True)
class Counted:
    """A theme among the comments of a span.

    Attributes:
        theme: its key.
        named: how often, and how it was meant.
        of: comments in the span.
        share: of the comments that name it, with the interval around it.
        course: against the span before, all themes counted in.
    """

    theme: str
    named: Named
    of: int
    share: Interval
    course: Course

    @property
    def readable(self) -> bool:
        """Whether there are comments enough to say a share."""
        return self.of >= TOO_FEW


def counted(
    now: Mapping[str, Named], comments: int, before: Mapping[str, Named], earlier: int
) -> list[Counted]:
    """The themes of a span, the most named first.

    Args:
        now: themes named in the span.
        comments: comments in the span.
        before: themes named in the span before.
        earlier: comments in the span before.
    """
    changes = {
        theme: compare(_share(before.get(theme, Named()).n, earlier), _share(named.n, comments))
        for theme, named in now.items()
    }
    compared = [theme for theme, change in changes.items() if change.chance is not None]
    chances = dict(
        zip(compared, discoveries([changes[theme].chance or 0.0 for theme in compared]), strict=True)
    )
    found = [
        Counted(
            theme, named, comments, wilson(named.n, comments), _course(changes[theme], chances.get(theme))
        )
        for theme, named in now.items()
    ]
    return sorted(found, key=lambda one: (-one.named.n, one.theme))


def _share(named: int, comments: int) -> Score:
    return scored(Metric.CSAT, Split(named, 0, comments - named))


def _course(change: Change, chance: float | None) -> Course:
    if change.verdict is Verdict.TOO_FEW or chance is None:
        return Course.TOO_FEW
    if change.verdict is Verdict.NO_DETECTABLE_CHANGE or chance > CERTAIN:
        return Course.STEADY
    return Course.RISING if (change.points or 0) > 0 else Course.FALLING
