"""One programme: trend, distribution, every answer by value, and who it is that answers differently."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from services.scoring.domain.asking import Span, ask, crossings
from services.scoring.domain.histogram import Histogram
from services.scoring.domain.metrics import Score, score
from services.scoring.domain.rates import Asked, Rate, Standing, rate, standing
from services.scoring.domain.rollups import JOINT
from services.scoring.pages import views
from services.scoring.pages.filters import Filters
from services.scoring.store import queries
from shared.db.database import Connection
from shared.web.problems import Problem


@dataclass(frozen=True, slots=True)
class Part:
    """One metric of the programme."""

    family: str
    shown: views.Shown
    bars: Markup
    trend: Markup
    rows: Sequence[tuple[str, Score]]


@dataclass(frozen=True, slots=True)
class Detail:
    """One programme."""

    parts: Sequence[Part]
    rate: Rate
    held: int
    standing: Standing


SPLITS = crossings()
"""Dimensions that a programme is broken down by."""


def chosen_split(filters: Filters) -> str:
    """The dimension to break down by.

    Raises:
        Problem: 422, there is no such breakdown.
    """
    if filters.split and filters.split not in SPLITS:
        raise Problem(
            422,
            f"Scores of a programme are not broken down by {filters.split!r}.",
            what_to_do=f"Choose one of {', '.join(SPLITS)}.",
            field="split",
        )
    return filters.split or SPLITS[0]


async def detail(
    conn: Connection,
    filters: Filters,
    split: str,
    span: Span,
    speech: views.Speech,
    thresholds: views.Thresholds,
) -> Detail:
    """A programme in the span; empty where nothing was asked or answered."""
    programme, family = filters.programme, filters.family_key
    series = await queries.series(conn, ask(programme=programme, family=family, span=span))
    rows = await queries.scores(conn, ask(programme=programme, dimension=split, family=family, span=span))
    asked = await queries.rates(conn, "programme", span, prefix=programme, exact=True, family=family)
    # A programme is of one family unless somebody changed it; then its people are counted together.
    counts = sum(asked.values(), Asked())
    rated = rate(counts)
    return Detail(
        [_part(one, rows, filters, speech) for one in series],
        rated,
        counts.held,
        standing(rated, thresholds.floor, thresholds.target),
    )


def _part(one: queries.Series, rows: Iterable[queries.Found], filters: Filters, speech: views.Speech) -> Part:
    whole = sum(one.days.values(), Histogram.of(one.metric))
    mine = [row for row in rows if (row.family, row.histogram.metric) == (one.family, one.metric)]
    return Part(
        one.family,
        views.shown(whole, speech),
        views.bars(whole, speech),
        views.trend_of(one, filters.step, speech),
        [(row.value.split(JOINT)[-1], score(row.histogram)) for row in mine],
    )
