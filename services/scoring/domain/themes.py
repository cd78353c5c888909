"""Themes counted: how often each is named, how it is meant, whether it is named more than before.

Comments of colleagues count as far as they differ: a theme that one customer names ten times is not named by
ten, and what fewer than three accounts name neither rises nor falls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from services.scoring.domain.change import Change, Verdict, compare, discoveries
from services.scoring.domain.design import Hits
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import TOO_FEW, Score, Split, scored
from services.scoring.domain.rising import LEAST_ACCOUNTS
from shared.intervals import Interval

CERTAIN = 0.05


class Course(StrEnum):
    """Where a theme goes, as far as can be said."""

    RISING = "rising"
    FALLING = "falling"
    STEADY = "no_detectable_change"
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True)
class Named:
    """How often a theme was named, by how it was meant, and by whom.

    Attributes:
        negative: comments that name it and complain.
        neutral: that name it and do neither.
        positive: that name it and praise.
        accounts: that named it.
        squares: squared comments of each account that name it, added up.
        across: those comments times all comments of the account, added up.
        between: their square by all comments of the account, added up.
        complaints: squared complaints of each account, added up.
        complaints_across: complaints times comments of the account that name it, added up.
        complaints_between: squared complaints by those comments, added up.
    """

    negative: int = 0
    neutral: int = 0
    positive: int = 0
    accounts: int = 0
    squares: int = 0
    across: int = 0
    between: float = 0.0
    complaints: int = 0
    complaints_across: int = 0
    complaints_between: float = 0.0

    @property
    def n(self) -> int:
        """Comments that name it."""
        return self.negative + self.neutral + self.positive

    @property
    def complaining(self) -> Score:
        """The percentage of the comments naming it that complain."""
        return _share(
            Hits(
                self.accounts, self.n, self.squares, self.negative, self.complaints, self.complaints_across,
                self.complaints_between,
            )
        )  # fmt: skip


NOBODY = Named()


@dataclass(frozen=True, slots=True)
class Tally:
    """The comments of a span.

    Attributes:
        comments: how many.
        accounts: that they are of; who belongs to none is one of their own.
        sizes: squared comments of each account, added up.
        themes: who named what.
    """

    comments: int = 0
    accounts: int = 0
    sizes: int = 0
    themes: Mapping[str, Named] = field(default_factory=dict)

    def naming(self, theme: str) -> Score:
        """The percentage of comments that name a theme."""
        named = self.themes.get(theme, NOBODY)
        return _share(
            Hits(
                self.accounts, self.comments, self.sizes, named.n, named.squares, named.across, named.between
            )
        )


@dataclass(frozen=True, slots=True)
class Counted:
    """A theme among the comments of a span.

    Attributes:
        theme: its key.
        named: how often, by whom, and how it was meant.
        of: comments in the span.
        share: of the comments that name it, the interval around it.
        complaining: of those that name it, the interval around the share that complains.
        course: against the span before, all themes counted in.
    """

    theme: str
    named: Named
    of: int
    share: Interval
    complaining: Interval
    course: Course

    @property
    def readable(self) -> bool:
        """Whether there are comments enough to say a share."""
        return self.of >= TOO_FEW

    @property
    def tone_readable(self) -> bool:
        """Whether enough of them name it to say what share complains."""
        return self.named.n >= TOO_FEW


def counted(now: Tally, before: Tally) -> list[Counted]:
    """The themes of a span, the most named first.

    Args:
        now: comments of the span.
        before: comments of the span before.
    """
    shares = {theme: now.naming(theme) for theme in now.themes}
    changes = {theme: compare(before.naming(theme), share) for theme, share in shares.items()}
    compared = [theme for theme, change in changes.items() if change.chance is not None]
    chances = dict(
        zip(compared, discoveries([changes[theme].chance or 0.0 for theme in compared]), strict=True)
    )
    found = [
        Counted(
            theme, named, now.comments, _interval(shares[theme]), _interval(named.complaining),
            _course(changes[theme], chances.get(theme), named, before.themes.get(theme, NOBODY)),
        )
        for theme, named in now.themes.items()
    ]  # fmt: skip
    return sorted(found, key=lambda one: (-one.named.n, one.theme))


def _share(hits: Hits) -> Score:
    return scored(Metric.CSAT, Split(hits.hits, 0, hits.n - hits.hits), hits.design())


def _interval(found: Score) -> Interval:
    return Interval((found.low or 0.0) / 100, (100.0 if found.high is None else found.high) / 100)


def _course(change: Change, chance: float | None, now: Named, before: Named) -> Course:
    if change.verdict is Verdict.TOO_FEW or chance is None:
        return Course.TOO_FEW
    rises = (change.points or 0) > 0
    told_by = now.accounts if rises else before.accounts
    if change.verdict is Verdict.NO_DETECTABLE_CHANGE or chance > CERTAIN or told_by < LEAST_ACCOUNTS:
        return Course.STEADY
    return Course.RISING if rises else Course.FALLING
