"""The overview: each family's programmes with score, doubt, distribution and response rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from markupsafe import Markup

from services.scoring.domain import leaving
from services.scoring.domain.asking import Span, ask
from services.scoring.domain.change import Change, Verdict
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Score
from services.scoring.domain.rates import Asked, Rate, Standing, rate, standing
from services.scoring.domain.rising import Told
from services.scoring.pages import views
from services.scoring.pages.filters import Filters
from services.scoring.store import churn, drops, queries, reports, rises
from services.scoring.store.judging import Course, courses, judged
from shared.contracts.model import Family
from shared.db.database import Connection, Database

MOST_MARKED = 12
"""Releases, incidents and changes that are marked in trends, the newest."""


@dataclass(frozen=True, slots=True)
class Card:
    """A programme."""

    programme: str
    scores: Sequence[views.Shown]
    rate: Rate
    standing: Standing


@dataclass(frozen=True, slots=True)
class Section:
    """The programmes of one family, never added up with those of another (R6)."""

    family: str
    cards: Sequence[Card]
    trend_metric: Metric | None
    trend: Markup
    learned_at: datetime | None


@dataclass(frozen=True, slots=True)
class Manager:
    """An account manager, by the response rate of his or her accounts (R58)."""

    name: str
    rate: Rate
    standing: Standing


@dataclass(frozen=True, slots=True)
class Spans:
    """The days that are shown, and those they are compared with, if there are any."""

    now: Span
    before: Span | None
    today: date


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the summary: a verdict, and the scores it holds for."""

    verdict: Verdict
    scores: Sequence[tuple[str, Metric]]


def in_short(sections: Iterable[Section]) -> list[Said]:
    """What changed, worst news first; empty where nothing is compared."""
    found: dict[Verdict, list[tuple[str, Metric]]] = {verdict: [] for verdict in _ORDER}
    for section in sections:
        for card in section.cards:
            for one in card.scores:
                if one.change:
                    found[one.change.verdict].append((card.programme, one.metric))
    return [Said(verdict, scores) for verdict, scores in found.items() if scores]


_ORDER = (Verdict.WORSE, Verdict.BETTER, Verdict.NO_DETECTABLE_CHANGE, Verdict.TOO_FEW)


@dataclass(frozen=True, slots=True)
class Overview:
    """All programmes, themes and churn that rise, and account managers where they are wanted.

    `many_happened`: more happened than trends mark.
    """

    sections: Sequence[Section]
    rising: Sequence[Told]
    churn: Sequence[leaving.Told]
    managers: Sequence[Manager]
    many_happened: bool


async def overview(
    db: Database,
    filters: Filters,
    spans: Spans,
    speech: views.Speech,
    thresholds: views.Thresholds,
    *,
    with_managers: bool,
) -> Overview:
    """Everything that was answered or asked in the span, family by family."""
    family = filters.family_key
    (scores, learned_at), (asked, managed, totals, rising, left, happened) = await db.at_once(
        lambda conn: _scores(conn, spans, family),
        lambda conn: _beside(conn, filters, spans, thresholds, with_managers=with_managers),
    )
    notes = views.notes_of(happened[:MOST_MARKED], speech)
    sections = []
    for kind in Family:
        found = [one for one in scores if one.family == kind.value]
        rates = {programme: counts for (key, programme), counts in asked.items() if key == kind.value}
        if found or rates:
            mine = [one for one in totals if one.series.family == kind.value]
            metric, drawn = _trend(mine, filters, speech, notes)
            cards = _cards(found, rates, speech, thresholds)
            sections.append(Section(kind.value, cards, metric, drawn, learned_at))
    return Overview(sections, rising, left, managed, len(happened) > MOST_MARKED)


class _Beside(NamedTuple):
    asked: Mapping[tuple[str, str], Asked]
    managed: Sequence[Manager]
    totals: Sequence[Course]
    rising: Sequence[Told]
    left: Sequence[leaving.Told]
    happened: Sequence[tuple[datetime, str, str]]


async def _beside(
    conn: Connection, filters: Filters, spans: Spans, thresholds: views.Thresholds, *, with_managers: bool
) -> _Beside:
    """Who was asked, account managers, totals over time, themes and churn that rise, what happened."""
    family, span = filters.family_key, spans.now
    asked = await queries.rates(conn, "programme", span, family=family)
    managed = await _managers(conn, filters, span, thresholds) if with_managers else []
    totals = await courses(conn, ask(dimension="total", family=family, span=span))
    happened = await drops.happened(conn, span, MOST_MARKED + 1)
    if span.last < spans.today:
        return _Beside(asked, managed, totals, [], [], happened)
    rising, left = await rises.standing(conn, spans.today), await churn.standing(conn, spans.today)
    return _Beside(asked, managed, totals, rising, left, happened)


async def _managers(
    conn: Connection, filters: Filters, span: Span, thresholds: views.Thresholds
) -> list[Manager]:
    """Account managers, those first whose customers answer least; kinds of programmes are taken together."""
    asked = await queries.rates(conn, "owner", span, family=filters.family_key)
    counts: dict[str, Asked] = {}
    for (_, owner), one in asked.items():
        counts[owner] = counts.get(owner, Asked()) + one
    rated = [(owner, rate(one)) for owner, one in counts.items()]
    return [
        Manager(owner, found, standing(found, thresholds.floor, thresholds.target))
        for owner, found in sorted(
            rated, key=lambda pair: (pair[1].value is None, pair[1].value or 0, pair[0])
        )
    ]


@dataclass(frozen=True, slots=True)
class _Scored:
    """One score of a programme, and how it changed where it is compared."""

    family: str
    programme: str
    score: Score
    change: Change | None


async def _scores(
    conn: Connection, spans: Spans, family: str | None
) -> tuple[list[_Scored], datetime | None]:
    """Scores with how they changed, and since when it is kept how alike colleagues answer."""
    if spans.before is None:
        found = await judged(conn, ask(family=family, span=spans.now))
        scores = [_Scored(one.family, one.value, one.score, None) for one in found]
        return scores, reports.learned_at(one.clustering for one in found)
    compared = await reports.compared(conn, spans.now, spans.before, family=family)
    scores = [_Scored(one.family, one.programme, one.change.after, one.change) for one in compared]
    return scores, reports.learned_at(one.clustering for one in compared)


def _cards(
    found: Iterable[_Scored],
    rates: dict[str, Asked],
    speech: views.Speech,
    thresholds: views.Thresholds,
) -> list[Card]:
    scores: dict[str, list[views.Shown]] = {programme: [] for programme in rates}
    for one in found:
        scores.setdefault(one.programme, []).append(views.shown(one.score, speech, one.change))
    cards = []
    for programme in sorted(scores):
        rated = rate(rates.get(programme, Asked()))
        cards.append(
            Card(programme, scores[programme], rated, standing(rated, thresholds.floor, thresholds.target))
        )
    return cards


def _trend(
    totals: Sequence[Course], filters: Filters, speech: views.Speech, notes: Sequence[views.Note]
) -> tuple[Metric | None, Markup]:
    """The trend of a family's most answered metric; the others are told programme by programme."""
    if not totals:
        return None, Markup("")
    most = max(totals, key=lambda one: sum(histogram.n for histogram in one.series.parts.values()))
    drawn, _ = views.trend_of(most, filters.step, speech, notes)
    return most.series.metric, drawn
