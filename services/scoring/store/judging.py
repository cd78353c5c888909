"""Sums as scores with the intervals that are due to them, whatever they are broken down by.

An interval knows how alike colleagues answer and, for relationship programmes, how many people were asked.
Whatever shows a score of some sums has it from here, so API, files, pages and gauges say the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.scoring.domain.asking import Question, Span, ask
from services.scoring.domain.cutting import Cut
from services.scoring.domain.design import APART, Clustering, together
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import Score, score
from services.scoring.domain.parts import Alike, dimensions_of, rest_of, whole_of
from services.scoring.domain.rollups import Rollup
from services.scoring.store import bindings, cuts, queries, reports
from services.scoring.store.clusterings import clusterings
from shared.contracts.model import Family
from shared.db.database import Connection
from shared.values import Value

Sum = tuple[Metric, str, str, int]
"""Metric, family, value of the dimensions, answers."""


class Judged(Value, frozen=True):
    """The answers under one value of a rollup with their score, and how they hang together by account."""

    family: str
    value: str
    histogram: Histogram
    score: Score
    clustering: Clustering


@dataclass(frozen=True, slots=True)
class Course:
    """The answers under one value of a rollup over time, and how they hang together by account."""

    series: queries.Series
    clustering: Clustering

    def score(self, histogram: Histogram) -> Score:
        """The score of one period of it."""
        return score(histogram, self.clustering.design(histogram.n))


async def judged(conn: Connection, question: Question) -> list[Judged]:
    """The scores of a question; values without an answer are left out."""
    found = await queries.scores(conn, question)
    could: Mapping[tuple[str, str], int] = {}
    if question.rollup == "programme" and question.family in (None, Family.RELATIONSHIP.value):
        (could,) = await reports.people(conn, (question.span,), question.prefix)
    alike = await alike_in(conn, dimensions_of(question.rollup), _sums(found), question)
    return _judged(found, alike, could)


async def courses(conn: Connection, question: Question) -> list[Course]:
    """The same over time, part of a week by part of a week."""
    found = await queries.series(conn, question)
    counted = [(one, sum(part.n for part in one.parts.values())) for one in found]
    alike = await alike_in(
        conn,
        dimensions_of(question.rollup),
        [(one.metric, one.family, one.value, n) for one, n in counted],
        question,
    )
    return [Course(one, alike.of(one.metric, one.family, one.value, n)) for one, n in counted]


async def judged_together(
    conn: Connection, wanted: Sequence[tuple[Metric, str, Collection[str], Span]]
) -> list[Score]:
    """One score of the answers to programmes of one family on some days, for each of a list of such groups.

    Of a single programme it is its own score. Of several the interval is careful: nothing is known of who
    answered more than one of them, so neither is how many could have answered.
    """
    if not wanted:
        return []
    spans = list(dict.fromkeys(span for *_, span in wanted))
    said = dict(zip(spans, await queries.scores_in(conn, ask(), spans), strict=True))
    groups = [
        [
            one
            for one in said[span]
            if (one.histogram.metric, one.family) == (metric, family) and one.value in programmes
        ]
        for metric, family, programmes, span in wanted
    ]
    keys = {key for group in groups for key in reports.keys_of(group)}
    across = {
        (metric, one.family, "")
        for (metric, *_), group in zip(wanted, groups, strict=True)
        if len(group) > 1
        for one in group
    }
    learned = await clusterings(conn, keys | across)
    could = dict(zip(spans, await reports.people(conn, spans, ""), strict=True))
    scores = []
    for (metric, *_, span), group in zip(wanted, groups, strict=True):
        whole = sum((one.histogram for one in group), Histogram.of(metric))
        known = together(
            ((one.histogram.n, learned.get((metric, one.family, one.value), APART)) for one in group),
            max((learned.get((metric, one.family, ""), APART).intraclass for one in group), default=0.0),
        )
        population = could[span].get((group[0].family, group[0].value)) if len(group) == 1 else None
        scores.append(score(whole, known.design(whole.n, population)))
    return scores


async def judged_cut(conn: Connection, cut: Cut) -> tuple[list[Judged], bool]:
    """The scores of a cut that no sum is kept for; False where only the newest answers were read."""
    read = await cuts.cutting(conn, cut)
    whole = Question("", family=cut.family, metric=cut.metric, span=cut.span)
    most = None if read.complete else read.answers
    alike = await alike_in(conn, cut.dimensions, _sums(read.found), whole, cut.programme, most)
    return _judged(read.found, alike, {}), read.complete


async def alike_in(
    conn: Connection,
    dimensions: Rollup,
    sums: Collection[Sum],
    question: Question,
    programme: str = "",
    most: int | None = None,
) -> Alike:
    """How colleagues hang together in some sums; asked once for all of them.

    Args:
        conn: connection.
        dimensions: that the sums are broken down by.
        sums: which.
        question: its metric, family and days are those of the sums.
        programme: that all of them are of, where it is no dimension.
        most: answers that were read to find them, where not all were.
    """
    if not sums or "account" in dimensions:
        return Alike(dimensions, {}, programme=programme)
    keys = {whole_of(dimensions, metric, family, value, programme) for metric, family, value, _ in sums}
    known = await clusterings(conn, keys, question.family)
    rest = rest_of(dimensions)
    if not rest:
        return Alike(dimensions, known, programme=programme)
    wholes = await _wholes(conn, {name for *_, name in keys}, question)
    if most is not None:
        wholes = {key: min(n, most) for key, n in wholes.items()}
    held = await bindings.bounds(conn, {family for _, family, _ in keys}, rest)
    return Alike(dimensions, known, wholes, held, programme)


async def _wholes(
    conn: Connection, programmes: Collection[str], question: Question
) -> dict[tuple[Metric, str, str], int]:
    """Answers of whole programmes, or of families where no programme is named, of the days of a question."""
    metric, family, span = question.metric, question.family, question.span
    if "" in programmes:
        asked = ask(dimension="total", metric=metric, family=family, span=span)
    else:
        only = next(iter(programmes)) if len(programmes) == 1 else ""
        asked = ask(programme=only, metric=metric, family=family, span=span)
    return {
        (one.histogram.metric, one.family, one.value): one.histogram.n
        for one in await queries.scores(conn, asked)
    }


def _sums(found: Iterable[queries.Found]) -> list[Sum]:
    return [(one.histogram.metric, one.family, one.value, one.histogram.n) for one in found]


def _judged(
    found: Sequence[queries.Found], alike: Alike, could: Mapping[tuple[str, str], int]
) -> list[Judged]:
    told = []
    for one in found:
        n = one.histogram.n
        clustering = alike.of(one.histogram.metric, one.family, one.value, n)
        design = clustering.design(n, could.get((one.family, one.value)))
        told.append(Judged(one.family, one.value, one.histogram, score(one.histogram, design), clustering))
    return told
