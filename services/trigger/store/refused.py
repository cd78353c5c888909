"""What led to nothing: refused at the door, another body under a known id, put aside as a dead letter.

A source is where an event came from; the webhook of a partner is meant by its name, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.trigger.domain.refused import Refusal
from shared.db.database import Connection

_ADD = """
insert into refused as r (sender, reason, what_to_do, first_at, last_at, times)
select sender, reason, what_to_do, $5, $5, times
from unnest($1::text[], $2::text[], $3::text[], $4::int[]) as told (sender, reason, what_to_do, times)
order by sender, reason
on conflict (sender, reason) do update set
    last_at = excluded.last_at, times = r.times + excluded.times, what_to_do = excluded.what_to_do
"""
_REFUSED = """
select sender, reason, what_to_do, first_at, last_at, times from refused
where $2 = '' or $2 in (sender, '/webhooks/' || sender)
order by last_at desc, sender limit $1
"""
_CONFLICTS = """
(select w.source, w.id, w.conflicts, w.received_at as first_at from webhooks w where w.conflicts > 0
and ($2 = '' or w.source in ($2, '/webhooks/' || $2)) order by w.received_at desc limit $1)
union all
(select source, event_id, conflicts, seen_at from inbox where conflicts > 0
and ($2 = '' or source in ($2, '/webhooks/' || $2)) order by seen_at desc limit $1)
order by first_at desc limit $1
"""
_LETTERS = """
select id as number, coalesce(event_type, '') as type, coalesce(event_id, '') as event_id,
    coalesce(source, '') as source, reason, failed_at, replayed_at
from dead_letters
where ($2::text[] is null or event_id = any($2)) and ($3 = '' or source in ($3, '/webhooks/' || $3))
order by id desc limit $1
"""


@dataclass(frozen=True, slots=True)
class Refused:
    """Requests of a sender that were refused for one reason; `times` in all."""

    sender: str
    reason: str
    what_to_do: str
    first_at: datetime
    last_at: datetime
    times: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """An id under which something else came `conflicts` times; the first stands. `source`: its route."""

    source: str
    id: str
    conflicts: int
    first_at: datetime


@dataclass(frozen=True, slots=True)
class Letter:
    """An event that was put aside, by its number in `afterword dlq`."""

    number: int
    type: str
    event_id: str
    source: str
    reason: str
    failed_at: datetime
    replayed_at: datetime | None


async def add(conn: Connection, refusals: Sequence[tuple[Refusal, int]], at: datetime) -> None:
    """Count refusals; one reason of one sender is one line."""
    if refusals:
        columns = zip(*((*one, times) for one, times in refusals), strict=True)
        await conn.execute(_ADD, *(list(column) for column in columns), at)


async def listed(conn: Connection, limit: int, source: str = "") -> list[Refused]:
    """What was refused, newest first; of one sender, by its name or its route, or of all."""
    return [Refused(**dict(row)) for row in await conn.fetch(_REFUSED, limit, source)]


async def conflicts(conn: Connection, limit: int, source: str = "") -> list[Conflict]:
    """Ids under which something else came, newest first; of one source, or of all."""
    return [Conflict(*row) for row in await conn.fetch(_CONFLICTS, limit, source)]


async def letters(
    conn: Connection, limit: int, events: Sequence[str] | None = None, source: str = ""
) -> list[Letter]:
    """What was put aside here, newest first; of some events or one source, or of all."""
    return [Letter(**dict(row)) for row in await conn.fetch(_LETTERS, limit, events, source)]


async def purge(conn: Connection, before: datetime) -> None:
    """Forget what has not happened since then."""
    await conn.execute("delete from refused where last_at < $1", before)
