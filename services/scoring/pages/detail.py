"""One programme: trend, distribution, every answer by value, and who it is that answers differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime

from markupsafe import Markup

from services.scoring.domain.asking import NoSuchRollup, Span, ask
from services.scoring.domain.change import Change
from services.scoring.domain.cohorts import Cohort
from services.scoring.domain.definitions import Defined, Known, Told
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import Score
from services.scoring.domain.rates import Asked, Rate, Standing, rate, standing
from services.scoring.domain.segments import Segment
from services.scoring.domain.splitting import split_of
from services.scoring.pages import views
from services.scoring.pages.filters import Filters
from services.scoring.pages.overview import Spans
from services.scoring.store import drops, headlines, queries, reports, splits, voices
from services.scoring.store.drivers import Moved, moved
from services.scoring.store.drops import Drop
from services.scoring.store.judging import Course, courses, judged
from services.scoring.store.splits import Parts
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
    """What it is broken down by, the most answered first."""


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
    since: date | None
    """The day back to which answers were read to break them down; None where all are in it."""

    rate: Rate
    held: int
    standing: Standing
    learned_at: datetime | None


MOST_HAPPENED = 24
"""Releases, incidents and changes that a page shows, the newest."""

MOST_PARTS = 25
"""Parts that a table shows, the most answered; all of them are in its file."""


def chosen_split(filters: Filters) -> str:
    """The dimension to break down by.

    Raises:
        Problem: 422, there is no such breakdown.
    """
    try:
        return split_of(filters.split)
    except NoSuchRollup as error:
        raise Problem(422, f"split: {error}.", field="split") from error


@dataclass(frozen=True, slots=True)
class _Told:
    """The answers of a programme over time, who was asked, and what is known of all accounts."""

    series: Sequence[Course]
    asked: Asked
    known: Known


@dataclass(frozen=True, slots=True)
class _Beside:
    """What stands beside them."""

    parts: Parts
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
    told, (voiced, complete), found, beside = await db.at_once(
        lambda conn: _told(conn, filters, span),
        lambda conn: _voiced(conn, programme, span),
        lambda conn: moved(conn, programme, span),
        lambda conn: _beside(conn, filters, split, spans),
    )
    readings = reports.readings_of(voiced, told.known)
    # A programme is of one family unless somebody changed it; then its people are counted together.
    rated = rate(told.asked)
    happened = views.notes_of(beside.happened[:MOST_HAPPENED], speech)
    parts = [
        _part(
            one,
            beside.parts,
            (readings.get(key, []), beside.scores.get(key)),
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
        complete,
        beside.parts.since,
        rated,
        told.asked.held,
        standing(rated, thresholds.floor, thresholds.target),
        reports.learned_at(one.clustering for one in told.series),
    )


async def _told(conn: Connection, filters: Filters, span: Span) -> _Told:
    programme, family = filters.programme, filters.family_key
    asked = await queries.rates(conn, "programme", span, prefix=programme, exact=True, family=family)
    series = await courses(conn, ask(programme=programme, family=family, span=span))
    everybody = asked if family is None else None
    known = await reports.known(conn, span, programme, everybody)
    return _Told(series, sum(asked.values(), Asked()), known)


async def _voiced(
    conn: Connection, programme: str, span: Span
) -> tuple[Mapping[tuple[Metric, str], Told], bool]:
    """What was answered, as it is told in four readings; False where only the newest were read."""
    return await voices.readings(conn, span, programme, await headlines.metrics_of(conn, programme))


async def _beside(conn: Connection, filters: Filters, split: str, spans: Spans) -> _Beside:
    programme, family, span = filters.programme, filters.family_key, spans.now
    return _Beside(
        await splits.parts(conn, programme, split, span, family, spans.today),
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
    parts: Parts,
    told: tuple[Sequence[Defined], tuple[Score, Change | None] | None],
    filters: Filters,
    speech: views.Speech,
    notes: Sequence[views.Note],
) -> Part:
    one = course.series
    readings, of = told
    whole = sum(one.parts.values(), Histogram.of(one.metric))
    found, change = of or (course.score(whole), None)
    drawn, marked = views.trend_of(course, filters.step, speech, notes)
    rows = parts.of(one.metric, one.family, whole.n, course.clustering)
    return Part(
        one.family,
        views.shown(found, speech, change),
        whole,
        drawn,
        marked,
        readings,
        sorted(rows, key=lambda row: -row.score.n),
    )
