"""What is on one side of a comparison: from sums where they are kept, else from its newest answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.scoring.domain.asking import Question, Span, ask
from services.scoring.domain.cutting import path_of
from services.scoring.domain.definitions import Told
from services.scoring.domain.design import Clustering
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.rates import Asked
from services.scoring.domain.sides import PROGRAMME, Cut, Side, Sums
from services.scoring.store import months, queries, voices
from services.scoring.store.judging import alike_in
from shared.db.database import Connection

Kind = tuple[str, Metric]
"""Kind of survey, and what is scored."""

SHOWN_VALUES = 40
"""Values of a dimension to choose from, the most frequent ones."""

DAYS_OF_VALUES = 7
MONTHS_OF_VALUES = 366

_NEWEST = """
select day, programme, family, account_id, persona, nps, nps5, csat, ces{snapshot} from answer_facts
where state = 'counted' and day between $1 and $2 and ($3::text is null or family = $3) {programme}
order by day desc limit $4
"""
_FACTS = "select * from ({newest}) newest where {where}"
_COUNTED = """
select family, nps, nps5, csat, ces, count(*)::int from ({facts}) f group by family, nps, nps5, csat, ces
"""
_EXTENT = "select count(*)::int, min(day) from ({newest}) f"
# Of days that are not in a closed month the last are enough, and where none is closed there are few.
_VALUES = """
select rollup, value, sum(times) from (
    select rollup, value, count(*) as times from score_months
    where rollup = any ($1::text[]) and month >= $2 group by 1, 2
    union all
    select rollup, value, count(*) as times from score_cells
    where rollup = any ($1::text[]) and day >= $3 group by 1, 2
) seen group by 1, 2 order by 1, 3 desc, 2
"""


@dataclass(frozen=True, slots=True)
class Extent:
    """How many answers were looked at, back to which day, and whether these are all."""

    answers: int
    since: date | None
    complete: bool

    def of(self, side: Side) -> Side:
        """What of a side was looked at."""
        if self.complete or self.since is None:
            return side
        return replace(side, span=Span(self.since, side.span.last))


async def added_up(
    conn: Connection, wanted: Sequence[tuple[Sums, Span]], family: str | None
) -> list[dict[Kind, Histogram]]:
    """The scores of some sides, from sums; each question is asked once for all spans that it has."""
    found: list[dict[Kind, Histogram]] = [{} for _ in wanted]
    for question, places in _questions(wanted, family).items():
        spans = [wanted[place][1] for place, _ in places]
        for (place, sign), scores in zip(places, await queries.scores_in(conn, question, spans), strict=True):
            for one in scores:
                kind = (one.family, one.histogram.metric)
                known = found[place].get(kind, Histogram.of(kind[1]))
                found[place][kind] = known + one.histogram if sign > 0 else known - one.histogram
    return [{kind: one for kind, one in side.items() if one.n} for side in found]


async def asked(
    conn: Connection, wanted: Sequence[tuple[Sums, Span]], family: str | None
) -> list[dict[str, Asked]]:
    """Who was asked and who answered on some sides, by kind of survey."""
    found: list[dict[str, Asked]] = [{} for _ in wanted]
    for question, places in _questions(wanted, family).items():
        spans = [wanted[place][1] for place, _ in places]
        rates = await queries.rates_in(
            conn, question.rollup, spans, prefix=question.prefix, exact=True, family=family
        )
        for (place, sign), counts in zip(places, rates, strict=True):
            for (kind, _), one in counts.items():
                known = found[place].get(kind, Asked())
                found[place][kind] = known + one if sign > 0 else known - one
    return found


def _questions(
    wanted: Sequence[tuple[Sums, Span]], family: str | None
) -> dict[Question, list[tuple[int, int]]]:
    """Questions with the sides that they are for, and whether their answer is added or taken off."""
    found: dict[Question, list[tuple[int, int]]] = {}
    for place, (sums, _) in enumerate(wanted):
        for sign, question in zip((1, -1), sums.questions(family), strict=False):
            found.setdefault(question, []).append((place, sign))
    return found


async def counted(conn: Connection, side: Side, family: str | None, most: int) -> dict[Kind, Histogram]:
    """What is on a side, among the newest `most` answers of its programme and days."""
    facts, values = _facts(side, family, most)
    counts: dict[Kind, list[int]] = {}
    for kind, *answers, times in map(tuple, await conn.fetch(_COUNTED.format(facts=facts), *values)):
        for metric, answer in zip(Metric, answers, strict=True):
            if answer is not None:
                buckets = counts.setdefault((kind, metric), [0] * len(Histogram.of(metric).counts))
                buckets[answer - metric.lowest] += times
    return {key: Histogram(key[1], tuple(buckets)) for key, buckets in counts.items()}


async def told(
    conn: Connection, side: Side, family: str | None, metrics: Sequence[Metric], most: int
) -> dict[tuple[Metric, str], Told]:
    """What the same answers say when they are added up by account."""
    found, _ = await voices.told_in(conn, *_facts(side, family, most), metrics)
    return found


async def alike(
    conn: Connection, side: Side, family: str | None, scores: Mapping[Kind, Histogram], read: int | None
) -> dict[Kind, Clustering]:
    """How the answers of a side hang together by account.

    Args:
        conn: connection.
        side: whose.
        family: that all of them are of, None for any.
        scores: what is on it.
        read: answers that were looked through to find them, where not all were.
    """
    parts = tuple(sorted(side.dimensions - {PROGRAMME}))
    question = Question("", family=family, span=side.span)
    sums = [(metric, kind, "", one.n) for (kind, metric), one in scores.items()]
    known = await alike_in(conn, parts, sums, question, side.programme, read)
    found = {(kind, metric): known.of(metric, kind, value, n) for metric, kind, value, n in sums}
    if side.but and not parts:
        # All others than a programme: nobody knows whether it asks the customers of the others, too.
        whole = await queries.scores(conn, ask(dimension="total", family=family, span=side.span))
        for one in whole:
            key = (one.family, one.histogram.metric)
            if key in found:
                found[key] = found[key].part(one.histogram.n, scores[key].n)
    return found


async def extent(conn: Connection, side: Side, family: str | None, most: int) -> Extent:
    """How far back the newest `most` answers of a side's programme and days go."""
    whole = Side(side.span, tuple(one for one in side.cut if one[0] == PROGRAMME))
    newest, values = _newest(whole, family, most)
    row = await conn.fetchrow(_EXTENT.format(newest=newest), *values)
    answers, since = tuple(row) if row else (0, None)
    return Extent(answers, since, answers < most)


def _facts(side: Side, family: str | None, most: int) -> tuple[str, list[object]]:
    """A statement that finds the answers of a side, and its parameters."""
    newest, values = _newest(side, family, most)
    return _FACTS.format(newest=newest, where=conditions(side, values)), values


def _newest(side: Side, family: str | None, most: int) -> tuple[str, list[object]]:
    values: list[object] = [side.span.first, side.span.last, family, most]
    programme = ""
    if side.programme:
        values.append(side.programme)
        programme = "and programme = $5"
    inside = any(name not in _COLUMNS for name in side.dimensions)
    return _NEWEST.format(snapshot=", snapshot" if inside else "", programme=programme), values


_COLUMNS = (PROGRAMME, "persona")
"""Dimensions that facts have a column for; others are read from the snapshot."""


def conditions(side: Side, values: list[object], facts: str = "") -> str:
    """What facts of a side have in common, as a condition in SQL.

    Args:
        side: whose facts.
        values: parameters that there are; those of the condition are put behind them.
        facts: what stands before the names of columns.
    """
    found = _each(side.cut, values, facts)
    if side.but:
        found.append(f"({' and '.join(_each(side.but, values, facts))}) is not true")
    return " and ".join(found) or "true"


def _each(cut: Cut, values: list[object], facts: str) -> list[str]:
    found = []
    for name, value in cut:
        if name in _COLUMNS:
            found.append(f"{facts}{name} = ${len(values) + 1}")
        else:
            values.append(list(path_of(name)))
            found.append(f"{facts}snapshot #>> ${len(values)}::text[] = ${len(values) + 1}")
        values.append(value)
    return found


async def values(conn: Connection, today: date, dimensions: Sequence[str]) -> dict[str, list[str]]:
    """What there was of each dimension within a year, to choose from."""
    before = await months.closed_before(conn)
    year = today - timedelta(days=MONTHS_OF_VALUES)
    days = year if before < year else max(before, today - timedelta(days=DAYS_OF_VALUES))
    found: dict[str, list[str]] = {name: [] for name in dimensions}
    for name, value, _ in map(tuple, await conn.fetch(_VALUES, list(dimensions), year, days)):
        if len(found[name]) < SHOWN_VALUES:
            found[name].append(value)
    return {name: sorted(those) for name, those in found.items() if those}
