"""One programme: trend, distribution, every answer by value, and who it is that answers differently."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from services.scoring.domain.asking import FIRST_DAY, ask, crossings
from services.scoring.domain.cohorts import Cohort
from services.scoring.domain.definitions import Defined
from services.scoring.domain.design import APART
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.rates import Asked, Rate, Standing, rate, standing
from services.scoring.domain.rollups import JOINT
from services.scoring.domain.segments import Segment, segments
from services.scoring.pages import views
from services.scoring.pages.filters import Filters
from services.scoring.pages.overview import Spans
from services.scoring.store import drops, queries, reports
from services.scoring.store.drivers import Moved, moved
from services.scoring.store.drops import Drop
from services.scoring.store.reports import Compared
from shared.db.database import Connection
from shared.web.problems import Problem


@dataclass(frozen=True, slots=True)
class Part:
    """One metric of the programme."""

    family: str
    shown: views.Shown
    bars: Markup
    trend: Markup
    readings: Sequence[Defined]
    rows: Sequence[Segment]


@dataclass(frozen=True, slots=True)
class Detail:
    """One programme."""

    parts: Sequence[Part]
    cohorts: Sequence[Cohort]
    moved: Moved
    matrix: Markup
    happened: Sequence[tuple[datetime, str, str]]
    drops: Sequence[Drop]
    complete: bool
    rate: Rate
    held: int
    standing: Standing
    learned_at: datetime | None


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
    spans: Spans,
    speech: views.Speech,
    thresholds: views.Thresholds,
) -> Detail:
    """A programme in the span; empty where nothing was asked or answered."""
    programme, family, span = filters.programme, filters.family_key, spans.now
    series = await queries.series(conn, ask(programme=programme, family=family, span=span))
    rows = await queries.scores(conn, ask(programme=programme, dimension=split, family=family, span=span))
    asked = await queries.rates(conn, "programme", span, prefix=programme, exact=True, family=family)
    readings, complete = await reports.defined(
        conn, span, programme, {one.metric for one in series}, None if family else asked
    )
    changes = await _changes(conn, spans, programme)
    young = await reports.by_cohort(conn, programme, spans.today)
    # A programme is of one family unless somebody changed it; then its people are counted together.
    counts = sum(asked.values(), Asked())
    rated = rate(counts)
    days = None if span.first == FIRST_DAY else max(1, (min(span.last, spans.today) - span.first).days + 1)
    return Detail(
        [
            _part(one, (rows, days), (readings.get(key, []), changes.get(key)), filters, speech)
            for one in series
            for key in ((one.metric, one.family),)
        ],
        young,
        found := await moved(conn, programme, span),
        views.quadrants(found, speech),
        await drops.happened(conn, span),
        await drops.told(conn, span, programme),
        complete,
        rated,
        counts.held,
        standing(rated, thresholds.floor, thresholds.target),
        reports.learned_at(changes.values()),
    )


async def _changes(conn: Connection, spans: Spans, programme: str) -> dict[tuple[Metric, str], Compared]:
    if spans.before is None:
        return {}
    found = await reports.compared(conn, spans.now, spans.before, programme=programme)
    return {(one.metric, one.family): one for one in found}


def _part(
    one: queries.Series,
    cells: tuple[Iterable[queries.Found], int | None],
    judged: tuple[Sequence[Defined], Compared | None],
    filters: Filters,
    speech: views.Speech,
) -> Part:
    rows, days = cells
    readings, compared = judged
    whole = sum(one.parts.values(), Histogram.of(one.metric))
    mine = [row for row in rows if (row.family, row.histogram.metric) == (one.family, one.metric)]
    return Part(
        one.family,
        views.shown(whole, speech, compared.change if compared else None),
        views.bars(whole, speech),
        views.trend_of(one, filters.step, speech),
        readings,
        segments(
            [(row.value.split(JOINT)[-1], row.histogram) for row in mine],
            days,
            compared.clustering if compared else APART,
        ),
    )
