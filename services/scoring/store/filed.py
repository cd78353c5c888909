"""What became of the tables that are written into a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from shared.db.database import Connection

# What could not be written until the next was due is old news: it is not tried any more, and why is kept.
_GIVE_UP = "update filed set state = 'failed', ended_at = $2 where state = 'pending' and day < $1"
_PLAN = """
insert into filed (day, name, next_at) select $1, name, $3 from unnest($2::text[]) as t (name)
on conflict do nothing
"""
_CLAIM = """
update filed set attempts = attempts + 1, next_at = $3
where (day, name) in (
    select day, name from filed where state = 'pending' and day = $1 and next_at <= $2 order by name
    for update skip locked)
returning name, attempts
"""
_RECORD = """
update filed set state = $3, bytes = $4, detail = $5, next_at = coalesce($6, next_at),
    ended_at = case when $3 = 'pending' then null else $7::timestamptz end
where day = $1 and name = $2 and state = 'pending'
"""
_LISTED = """
select day, name, state, attempts, ended_at, bytes, detail from filed where day >= $1 order by day desc, name
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A file to be written now."""

    name: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Became:
    """What became of a try; without `again` it was the last one."""

    state: str
    at: datetime
    size: int | None = None
    detail: str = ""
    again: datetime | None = None


async def plan(conn: Connection, day: date, names: Sequence[str], now: datetime, wall: datetime) -> None:
    """Plan the files of a day, and give those of days before up; what was planned before stays as it is."""
    await conn.execute(_GIVE_UP, day, now)
    await conn.execute(_PLAN, day, names, wall)


async def claim(conn: Connection, day: date, wall: datetime, until: datetime) -> list[Claimed]:
    """Take the files of a day that are to be written; nobody else does before `until` (machine time)."""
    return [Claimed(*tuple(row)) for row in await conn.fetch(_CLAIM, day, wall, until)]


async def record(conn: Connection, day: date, name: str, became: Became) -> None:
    """Write down what became of a file."""
    await conn.execute(
        _RECORD, day, name, became.state, became.size, became.detail[:300], became.again, became.at
    )


async def listed(conn: Connection, since: date) -> list[dict[str, Any]]:
    """The files of the days since one, the newest first."""
    return [dict(row) for row in await conn.fetch(_LISTED, since)]
