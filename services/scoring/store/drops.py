"""Drops that were told, and what happened in the weeks around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.scoring.domain.asking import Span
from services.scoring.domain.dropping import QUIET, Watched
from shared.db.database import Connection

_SAVE = """
insert into drops select * from unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::text[],
    $6::float8[], $7::float8[], $8::int[], $9::int[], $10::float8[])
on conflict do nothing
"""
_HAPPENED = """
select at, kind, label, count(*) over () from (
    select min(at) as at, kind, label from happenings
    where kind in ('release', 'incident', 'change_shipped') and event <> 'incident.resolved'
        and at >= $1::date and at < $2::date + 1
    group by kind, label, date_trunc('day', at)
) h order by at desc limit $3
"""


@dataclass(frozen=True, slots=True)
class Drop:
    """One drop, as it was told."""

    day: date
    metric: str
    family: str
    programme: str
    before: float
    after: float
    n_before: int
    n_after: int

    @property
    def of(self) -> tuple[str, str]:
        """Metric and family of the score."""
        return self.metric, self.family


async def look(conn: Connection, day: date) -> bool:
    """Claim a day; False where it was looked at already."""
    claimed = await conn.fetchval("insert into looks values ($1) on conflict do nothing returning true", day)
    return bool(claimed)


async def quiet(conn: Connection, day: date) -> set[str]:
    """Cells that were told of so lately that they are not told of again."""
    rows = await conn.fetch("select distinct cell from drops where day > $1", day - QUIET)
    return {row[0] for row in rows}


async def save_drops(conn: Connection, day: date, found: Sequence[tuple[Watched, float]]) -> None:
    """Remember what is told."""
    rows = [
        (
            one.cell, day, *one.cell.split("/", 2), one.change.before.value, one.change.after.value,
            one.change.before.n, one.change.after.n, chance,
        )
        for one, chance in found
    ]  # fmt: skip
    await conn.execute(_SAVE, *zip(*sorted(rows), strict=True))


async def told(conn: Connection, span: Span, programme: str = "") -> list[Drop]:
    """Drops that were told in a span, newest first."""
    rows = await conn.fetch(
        "select day, metric, family, programme, before, after, n_before, n_after from drops"
        " where day between $1 and $2 and ($3 = '' or programme = $3) order by day desc, cell limit 20",
        span.first, span.last, programme,
    )  # fmt: skip
    return [Drop(*row) for row in map(tuple, rows)]


async def happened(conn: Connection, span: Span, limit: int = 12) -> list[tuple[datetime, str, str]]:
    """Releases, incidents and changes of a span, newest first: when, kind, label."""
    rows = await conn.fetch(_HAPPENED, span.first, span.last, limit)
    return [(row[0], row[1], row[2]) for row in rows]
