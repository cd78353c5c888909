"""Reads of scoring: sums of cells, never of answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.scoring.domain.asking import Question, Span
from services.scoring.domain.histogram import BUCKETS, Histogram, Metric
from services.scoring.domain.rates import Asked
from shared.db.database import Connection

_LAST = "\U0010ffff"
"""Behind every other character; stands in no text."""

_SUMS = ", ".join(f"sum(b{number})::bigint" for number in range(BUCKETS))
_ANY = " + ".join(f"sum(b{number})" for number in range(BUCKETS))
_WHERE = """
where rollup = $1 and value between $2 and $3
    and ($4::text is null or metric = $4) and ($5::text is null or family = $5) and day between $6 and $7
"""
_SCORES = f"""
select metric, family, value, {_SUMS} from score_cells {_WHERE}
group by metric, family, value having {_ANY} > 0 order by metric, family, value
"""  # noqa: S608 - our own column names
_DAYS = f"""
select metric, family, value, day, {_SUMS} from score_cells {_WHERE}
group by metric, family, value, day order by metric, family, value, day
"""  # noqa: S608 - our own column names
# For each span by itself: joined at once, all cells of a rollup would be held against all spans.
_SPANS = f"""
select n::int, found.* from unnest($1::date[], $2::date[]) with ordinality as spans (first, last, n)
cross join lateral (
    select metric, family, value, {_SUMS} from score_cells
    where rollup = 'programme' and day between spans.first and spans.last
        and ($3::text[] is null or value = any ($3)) and ($4::text is null or metric = $4)
    group by metric, family, value having {_ANY} > 0 order by metric, family, value
) as found order by n
"""  # noqa: S608 - our own column names
_RATES = """
select family, value,
    sum(requested)::bigint, sum(handed_over)::bigint, sum(answered)::bigint, sum(held)::bigint
from rate_cells
where rollup = $1 and value between $2 and $3
    and ($4::text is null or family = $4) and day between $5 and $6
group by family, value order by family, value
"""


@dataclass(frozen=True, slots=True)
class Found:
    """The answers under one value of a rollup."""

    family: str
    value: str
    histogram: Histogram


@dataclass(frozen=True, slots=True)
class Series:
    """The answers under one value of a rollup, day by day."""

    metric: Metric
    family: str
    value: str
    days: Mapping[date, Histogram]


async def scores(conn: Connection, question: Question) -> list[Found]:
    """Sum up the cells of a question; values without an answer are left out."""
    rows = await conn.fetch(_SCORES, *_parameters(question))
    return [
        Found(row[1], row[2], Histogram.from_buckets(Metric(row[0]), row[3:])) for row in map(tuple, rows)
    ]


async def series(conn: Connection, question: Question) -> list[Series]:
    """The cells of a question day by day."""
    found: dict[tuple[str, str, str], dict[date, Histogram]] = {}
    for row in map(tuple, await conn.fetch(_DAYS, *_parameters(question))):
        metric, family, value, day, *buckets = row
        days = found.setdefault((metric, family, value), {})
        days[day] = Histogram.from_buckets(Metric(metric), buckets)
    return [Series(Metric(metric), family, value, days) for (metric, family, value), days in found.items()]


async def scores_in(
    conn: Connection,
    spans: Sequence[Span],
    *,
    programmes: Sequence[str] | None = None,
    metric: Metric | None = None,
) -> list[list[Found]]:
    """The score of each programme in each of some spans, in one statement."""
    found: list[list[Found]] = [[] for _ in spans]
    rows = await conn.fetch(
        _SPANS,
        [span.first for span in spans],
        [span.last for span in spans],
        programmes,
        metric.value if metric else None,
    )
    for n, kind, family, value, *buckets in map(tuple, rows):
        found[n - 1].append(Found(family, value, Histogram.from_buckets(Metric(kind), buckets)))
    return found


async def rates(
    conn: Connection,
    rollup: str,
    span: Span,
    *,
    prefix: str = "",
    exact: bool = False,
    family: str | None = None,
) -> dict[tuple[str, str], Asked]:
    """Asked and answered by family and value."""
    ends = ends_of(prefix, exact=exact)
    rows = await conn.fetch(_RATES, rollup, *ends, family, span.first, span.last)
    return {(row[0], row[1]): Asked(*map(int, tuple(row)[2:])) for row in rows}


async def titles(conn: Connection) -> dict[str, dict[str, str]]:
    """Programme -> its title by language."""
    rows = await conn.fetch("select programme, title from programmes")
    return {row[0]: json.loads(row[1]) for row in rows}


def ends_of(prefix: str, *, exact: bool) -> tuple[str, str]:
    """First and last of all texts that begin so: as two ends they are found in the key of the cells."""
    return prefix, prefix if exact else prefix + _LAST


def _parameters(question: Question) -> Sequence[object]:
    span = question.span
    return (
        question.rollup,
        *ends_of(question.prefix, exact=question.exact),
        question.metric.value if question.metric else None,
        question.family,
        span.first,
        span.last,
    )
