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

_SUMS = ", ".join(f"sum(b{number})::bigint" for number in range(BUCKETS))
_ANY = " + ".join(f"sum(b{number})" for number in range(BUCKETS))
_WHERE = """
where rollup = $1 and (case when $3 then value = $2 else starts_with(value, $2) end)
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
_RATES = """
select family, value,
    sum(requested)::bigint, sum(handed_over)::bigint, sum(answered)::bigint, sum(held)::bigint
from rate_cells
where rollup = $1 and (case when $3 then value = $2 else starts_with(value, $2) end)
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
    rows = await conn.fetch(_RATES, rollup, prefix, exact, family, span.first, span.last)
    return {(row[0], row[1]): Asked(*map(int, tuple(row)[2:])) for row in rows}


async def titles(conn: Connection) -> dict[str, dict[str, str]]:
    """Programme -> its title by language."""
    rows = await conn.fetch("select programme, title from programmes")
    return {row[0]: json.loads(row[1]) for row in rows}


def _parameters(question: Question) -> Sequence[object]:
    span = question.span
    return (
        question.rollup,
        question.prefix,
        question.exact,
        question.metric.value if question.metric else None,
        question.family,
        span.first,
        span.last,
    )
