"""One programme: trend, distribution, every answer by value, and who it is that answers differently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from services.scoring.domain.asking import FIRST_DAY, Span, ask, crossings
from services.scoring.domain.change import Change
from services.scoring.domain.cohorts import Cohort
from services.scoring.domain.definitions import Defined
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import Score
from services.scoring.domain.rates import Asked, Rate, Standing, rate, standing
from services.scoring.domain.rollups import JOINT
from services.scoring.domain.segments import Segment, segments
from services.scoring.pages import views
from services.scoring.pages.filters import Filters
from services.scoring.pages.overview import Spans
from services.scoring.store import bindings, drops, queries, reports
from services.scoring.store.drivers import Moved, moved
from services.scoring.store.drops import Drop
from services.scoring.store.judging import Course, courses, judged
from shared.db.database import Connection, Database
from shared.web.problems import Problem


@dataclass(frozen=True, slots=True)
class Part:
    """One metric of the programme."""

    family: str
    shown: views.Shown
    whole: Histogram
    trend: Markup
    marked: AbstractSet[views.Note]
    readings: Sequence[Defined]
    rows: Sequence[Segment]


@dataclass(frozen=True, slots=True)
class Detail:
    """One programme."""

    parts: Sequence[Part]
    cohorts: Sequence[Cohort]
    moved: Moved
    matrix: Markup
    happened: Sequence[views.Note]
    """What no trend shows: of days without answers, or where there is no trend. Newest first."""

    many_happened: bool
    drops: Sequence[Drop]
    complete: bool
    rate: Rate
    held: int
    standing: Standing
    learned_at: datetime | None


MOST_HAPPENED = 24
"""Releases, incidents and changes that a page shows, the newest."""

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


@dataclass(frozen=True, slots=True)
class _Told:
    """The answers of a programme over time and in four readings, and who was asked."""

    series: Sequence[Course]
    asked: Asked
    readings: Mapping[tuple[Metric, str], Sequence[Defined]]
    complete: bool


@dataclass(frozen=True, slots=True)
class _Beside:
    """What stands beside them."""

    rows: Sequence[queries.Found]
    bounds: Mapping[str, float]
    scores: Mapping[tuple[Metric, str], tuple[Score, Change | None]]
    cohorts: Sequence[Cohort]
    happened: Sequence[tuple[datetime, str, str]]
    drops: Sequence[Drop]


async def detail(
    db: Database,
    filters: Filters,
    split: str,
    spans: Spans,
    speech: views.Speech,
    thresholds: views.Thresholds,
) -> Detail:
    """A programme in the span; empty where nothing was asked or answered."""
    programme, span = filters.programme, spans.now
    told, found, beside = await db.at_once(
        lambda conn: _told(conn, filters, span),
        lambda conn: moved(conn, programme, span),
        lambda conn: _beside(conn, filters, split, spans),
    )
    # A programme is of one family unless somebody changed it; then its people are counted together.
    rated = rate(told.asked)
    days = None if span.first == FIRST_DAY else max(1, (min(span.last, spans.today) - span.first).days + 1)
    happened = views.notes_of(beside.happened[:MOST_HAPPENED], speech)
    parts = [
        _part(
            one,
            (beside.rows, beside.bounds.get(key[1], 1.0), days),
            (told.readings.get(key, []), beside.scores.get(key)),
            filters,
            speech,
            sorted(happened + [views.note_of_drop(drop, speech) for drop in beside.drops if drop.of == key]),
        )
        for one in told.series
        for key in ((one.series.metric, one.series.family),)
    ]
    marked = {note for part in parts for note in part.marked}
    return Detail(
        parts,
        beside.cohorts,
        found,
        views.quadrants(found, speech),
        [note for note in reversed(happened) if note not in marked],
        len(beside.happened) > MOST_HAPPENED,
        beside.drops,
        told.complete,
        rated,
        told.asked.held,
        standing(rated, thresholds.floor, thresholds.target),
        reports.learned_at(one.clustering for one in told.series),
    )


async def _told(conn: Connection, filters: Filters, span: Span) -> _Told:
    programme, family = filters.programme, filters.family_key
    asked = await queries.rates(conn, "programme", span, prefix=programme, exact=True, family=family)
    series = await courses(conn, ask(programme=programme, family=family, span=span))
    metrics = {one.series.metric for one in series}
    readings, complete = await reports.defined(conn, span, programme, metrics, None if family else asked)
    return _Told(series, sum(asked.values(), Asked()), readings, complete)


async def _beside(conn: Connection, filters: Filters, split: str, spans: Spans) -> _Beside:
    programme, family, span = filters.programme, filters.family_key, spans.now
    rows = await queries.scores(conn, ask(programme=programme, dimension=split, family=family, span=span))
    return _Beside(
        rows,
        await bindings.bounds(conn, {one.family for one in rows}, (split,)),
        await _scores(conn, spans, programme),
        await reports.by_cohort(conn, programme, spans.today),
        await drops.happened(conn, span, MOST_HAPPENED + 1),
        await drops.told(conn, span, programme),
    )


async def _scores(
    conn: Connection, spans: Spans, programme: str
) -> dict[tuple[Metric, str], tuple[Score, Change | None]]:
    """Scores, and how they changed where there are days to compare them with."""
    if spans.before is None:
        whole = await judged(conn, ask(programme=programme, span=spans.now))
        return {(one.score.metric, one.family): (one.score, None) for one in whole}
    found = await reports.compared(conn, spans.now, spans.before, programme=programme)
    return {(one.metric, one.family): (one.change.after, one.change) for one in found}


def _part(
    course: Course,
    cells: tuple[Iterable[queries.Found], float, int | None],
    told: tuple[Sequence[Defined], tuple[Score, Change | None] | None],
    filters: Filters,
    speech: views.Speech,
    notes: Sequence[views.Note],
) -> Part:
    one = course.series
    rows, bound, days = cells
    readings, of = told
    whole = sum(one.parts.values(), Histogram.of(one.metric))
    found, change = of or (course.score(whole), None)
    drawn, marked = views.trend_of(course, filters.step, speech, notes)
    mine = [row for row in rows if (row.family, row.histogram.metric) == (one.family, one.metric)]
    return Part(
        one.family,
        views.shown(found, speech, change),
        whole,
        drawn,
        marked,
        readings,
        segments(
            [(row.value.split(JOINT)[-1], row.histogram) for row in mine],
            days,
            course.clustering,
            bound=bound,
            among=whole.n,
        ),
    )
