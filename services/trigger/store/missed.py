"""Records of others of which a source says that we missed a change: somebody has to look them up anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.trigger.domain.reports import Missed
from shared.db.database import Connection

_NOTE = """
insert into missed_changes as m (source, entity, record, change, first_at, last_at, noted_at)
select source, entity, record, max(change), min(at), max(at), $6
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
    as told (source, entity, record, change, at)
group by source, entity, record order by source, entity, record
on conflict (source, entity, record) do update set
    change = excluded.change, first_at = least(m.first_at, excluded.first_at),
    last_at = greatest(m.last_at, excluded.last_at), noted_at = excluded.noted_at
"""
_LIST = """
select source, entity, record, change, first_at, last_at from missed_changes
order by last_at desc, record limit $1
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A record to be looked up; `record` "*" = any of its kind, for so much changed at once."""

    source: str
    entity: str
    record: str
    change: str
    first_at: datetime
    last_at: datetime


async def note(conn: Connection, told: Sequence[Missed], at: datetime) -> None:
    """Remember what was missed; the same record again is one line."""
    if told:
        await conn.execute(
            _NOTE,
            [one.source for one in told],
            [one.entity for one in told],
            [one.record for one in told],
            [one.change for one in told],
            [one.at for one in told],
            at,
        )


async def listed(conn: Connection, limit: int) -> list[Shown]:
    """What is to be looked up, newest first."""
    return [Shown(**dict(row)) for row in await conn.fetch(_LIST, limit)]


async def counted(conn: Connection) -> int:
    """How many records are to be looked up."""
    return int(await conn.fetchval("select count(*) from missed_changes"))


async def settle(conn: Connection, source: str, entity: str, record: str) -> bool:
    """Somebody looked it up; False when there is no such line."""
    done = await conn.execute(
        "delete from missed_changes where source = $1 and entity = $2 and record = $3", source, entity, record
    )
    return done == "DELETE 1"
