"""When does a fall deserve that somebody is called?

Scores are looked at once a day, all of them at once, and often: whoever looks that often finds a fall by
chance sooner or later (R68). So the bar is higher than on a page: of everything that is called a drop on
one day at most one in a hundred may be false (Benjamini and Hochberg), and what was told is not told again
for a month.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.scoring.domain.asking import Span
from services.scoring.domain.change import Change, Verdict, discoveries

FALSE_SHARE = 0.01
NOW_DAYS = 30
BEFORE_DAYS = 90
QUIET = timedelta(days=30)
"""For so long a cell that dropped is not told of again."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A cell with its change; `cell` is the name that headlines have."""

    cell: str
    change: Change


def spans(today: date) -> tuple[Span, Span]:
    """The last 30 days, and the 90 before them."""
    first = today - timedelta(days=NOW_DAYS - 1)
    return Span(first, today), Span(first - timedelta(days=BEFORE_DAYS), first - timedelta(days=1))


def drops(watched: Sequence[Watched], quiet: Collection[str]) -> list[tuple[Watched, float]]:
    """The cells that dropped, each with its chance after all comparisons of the day are counted in.

    Args:
        watched: every cell that was looked at; those with too few answers are no comparison.
        quiet: cells that were told of lately.
    """
    compared = [one for one in watched if one.change.chance is not None]
    chances = discoveries([one.change.chance or 0.0 for one in compared])
    return [
        (one, chance)
        for one, chance in zip(compared, chances, strict=True)
        if one.change.verdict is Verdict.WORSE and chance <= FALSE_SHARE and one.cell not in quiet
    ]
