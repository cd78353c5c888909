"""Reads of scoring: sums of cells, never of answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.scoring.domain.asking import Question, Span
from services.scoring.domain.histogram import BUCKETS, METRICS, Histogram, Metric
from services.scoring.domain.rates import Asked
from services.scoring.store import months
from shared.db.database import Connection
from shared.values import Value

_LAST = "\U0010ffff"
"""Behind every other character; stands in no text."""

_BUCKETS = [f"b{number}" for number in range(BUCKETS)]
_SUMS = ", ".join(f"sum({bucket})::bigint" for bucket in _BUCKETS)
# Statements of their own, not one with a choice in it: only then values are found by the index that fits.
_VALUES = {
    "all": "rollup = $1 and $2::text <= $3::text",
    "some": "rollup = $1 and value between $2 and $3",
    "one": "rollup = $1 and value = $2 and $2::text = $3::text",
}
_OF = {
    which: f"{values} and ($4::text is null or metric = $4) and ($5::text is null or family = $5)"
    for which, values in _VALUES.items()
}
_SCORES = {
    which: months.cells("score", "metric, family, value", _BUCKETS, of, 6) for which, of in _OF.items()
}
# The part of a week that lies in one month: any step of a trend is made of such parts. Day one was a Monday.
_PARTS = {
    which: f"""
    select metric, family, value,
        greatest(day - (day - date '0001-01-01') % 7, date_trunc('month', day::timestamp)::date), {_SUMS}
    from score_cells where {of} and day between $6 and $7 group by 1, 2, 3, 4 order by 1, 2, 3, 4
    """  # noqa: S608 - our own column names
    for which, of in _OF.items()
}
_KNOWN = """
select exists (select from programmes where programme = $1)
    or exists (select from headlines where programme = $1)
    or exists (select from rate_cells where rollup = 'programme' and value = $1)
"""
_SUMMED = "select exists (select from score_cells where rollup = $1)"
_COUNTS = ("requested", "handed_over", "answered", "held")
_RATED = {which: f"{values} and ($4::text is null or family = $4)" for which, values in _VALUES.items()}
_RATES = {which: months.cells("rate", "family, value", _COUNTS, of, 5) for which, of in _RATED.items()}


def of_programme(programme: str, place: int, of: str = "") -> str:
    """The condition that something is of a programme; "" is any.

    A statement of its own for each: of one with a choice in it PostgreSQL soon makes a plan for both, which
    reads all programmes' days for one.
    """
    return f"{of}programme = ${place}" if programme else f"${place} = ''"


class Found(Value, frozen=True):
    """The answers under one value of a rollup."""

    family: str
    value: str
    histogram: Histogram


@dataclass(frozen=True, slots=True)
class Series:
    """The answers under one value of a rollup, by parts of weeks.

    A part is what of a week lies in one month, named by its first day: periods of any step are made of it.
    """

    metric: Metric
    family: str
    value: str
    parts: Mapping[date, Histogram]


async def scores(conn: Connection, question: Question) -> list[Found]:
    """Sum up the cells of a question; values without an answer are left out."""
    (found,) = await scores_in(conn, question, (question.span,))
    return found


async def scores_in(conn: Connection, question: Question, spans: Sequence[Span]) -> list[list[Found]]:
    """The same for each of some spans, in one statement; that of the question is not asked for."""
    found: list[list[Found]] = [[] for _ in spans]
    rows = await conn.fetch(
        _SCORES[_which(question)], *_parameters(question), *await months.pieces(conn, spans)
    )
    for row in rows:
        n, metric, family, value = row[:4]
        found[n].append(Found(family, value, Histogram.from_buckets(METRICS[metric], row[4:])))
    return found


async def series(conn: Connection, question: Question) -> list[Series]:
    """The cells of a question, part of a week by part of a week."""
    found: dict[tuple[str, str, str], dict[date, Histogram]] = {}
    rows = await conn.fetch(
        _PARTS[_which(question)], *_parameters(question), question.span.first, question.span.last
    )
    for row in map(tuple, rows):
        metric, family, value, part, *buckets = row
        parts = found.setdefault((metric, family, value), {})
        parts[part] = Histogram.from_buckets(METRICS[metric], buckets)
    return [Series(Metric(metric), family, value, parts) for (metric, family, value), parts in found.items()]


async def rates(
    conn: Connection,
    rollup: str,
    span: Span,
    *,
    prefix: str = "",
    exact: bool = False,
    family: str | None = None,
) -> dict[tuple[str, str], Asked]:
    """Asked and answered by family and value in one span."""
    (found,) = await rates_in(conn, rollup, (span,), prefix=prefix, exact=exact, family=family)
    return found


async def rates_in(
    conn: Connection,
    rollup: str,
    spans: Sequence[Span],
    *,
    prefix: str = "",
    exact: bool = False,
    family: str | None = None,
) -> list[dict[tuple[str, str], Asked]]:
    """Asked and answered by family and value in each of some spans, in one statement."""
    found: list[dict[tuple[str, str], Asked]] = [{} for _ in spans]
    ends = ends_of(prefix, exact=exact)
    which = _which(Question(rollup, prefix, exact))
    rows = await conn.fetch(_RATES[which], rollup, *ends, family, *await months.pieces(conn, spans))
    for n, kind, value, *counts in map(tuple, rows):
        found[n][kind, value] = Asked(*counts)
    return found


async def known(conn: Connection, programme: str) -> bool:
    """Whether a programme was ever published, asked or answered."""
    return bool(await conn.fetchval(_KNOWN, programme))


async def summed(conn: Connection, rollup: str) -> bool:
    """Whether sums are kept by a rollup of which not every answer has a value."""
    return bool(await conn.fetchval(_SUMMED, rollup))


async def titles(conn: Connection) -> dict[str, dict[str, str]]:
    """Programme -> its title by language."""
    rows = await conn.fetch("select programme, title from programmes")
    return {row[0]: json.loads(row[1]) for row in rows}


def ends_of(prefix: str, *, exact: bool) -> tuple[str, str]:
    """First and last of all texts that begin so: as two ends they are found in the key of the cells."""
    return prefix, prefix if exact else prefix + _LAST


def _which(question: Question) -> str:
    return "one" if question.exact else "some" if question.prefix else "all"


def _parameters(question: Question) -> Sequence[object]:
    return (
        question.rollup,
        *ends_of(question.prefix, exact=question.exact),
        question.metric.value if question.metric else None,
        question.family,
    )
