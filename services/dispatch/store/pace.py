"""Lines of limits, shared by all instances: a row each, locked for as long as somebody is let through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.dispatch.domain.pace import Limit, Line
from services.dispatch.domain.states import Happening, sources
from shared.db.database import Connection

# Locked in order of the keys, and until the end of the transaction: the next one sees what was taken.
_HOLD = """
insert into paces as p (key, per_minute)
select * from unnest($1::text[], $2::int[]) order by 1
on conflict (key) do update set per_minute = excluded.per_minute
returning p.key, p.next_at
"""
_HEADS = """
select k as key, (select arrived_at from messages where pace = k and state = 'planned'
    and not_before = 'infinity' order by arrived_at limit 1) as head
from unnest($1::text[]) as k
"""
_TAKE = """
update paces p set next_at = t.next_at from unnest($1::text[], $2::timestamptz[]) as t (key, next_at)
where p.key = t.key
"""
# In line a message is due for nobody: it is let out by `let_out` alone, so it costs nothing while it stands.
_STAND = """
update messages as m set state = 'planned', lease_token = null, lease_until = null, not_before = 'infinity',
    pace = s.pace, limited_by = s.words, limited_at = coalesce(m.limited_at, clock.machine_now())
from unnest($2::uuid[], $3::text[], $4::text[]) as s (delivery_id, pace, words)
where m.delivery_id = s.delivery_id and m.lease_token = $1 and m.state = any($5::text[])
returning m.pace
"""
_OCCUPIED = "update paces set occupied = true where key = any($1::text[])"
_LINES = """
select p.key, p.per_minute, p.next_at, clock.machine_now() as now,
    (select count(*)::int from messages m where m.pace = p.key and m.state = 'planned'
        and m.not_before <= clock.machine_now()) as called
from paces p where p.occupied order by p.key for update skip locked
"""
_LET_OUT = """
update messages set not_before = clock.machine_now()
where delivery_id in (
    select m.delivery_id
    from unnest($1::text[], $2::int[]) as r (key, room)
    cross join lateral (
        select delivery_id from messages
        where pace = r.key and state = 'planned' and not_before = 'infinity'
        order by arrived_at limit r.room for update skip locked
    ) m
) returning delivery_id
"""
_EMPTIED = """
update paces p set occupied = false
where key = any($1::text[]) and not exists (
    select from messages where pace = p.key and state = 'planned' and not_before = 'infinity')
"""
# A place long past says as much as no row.
_FORGET = """
delete from paces where key in (
    select key from paces
    where not occupied and coalesce(next_at, '-infinity') < clock.machine_now() - interval '1 minute'
    limit 1000 for update skip locked)
"""


@dataclass(frozen=True, slots=True)
class Occupied:
    """A line that somebody stands in. `called`: who was let out and is not yet under way."""

    key: str
    per_minute: int
    next_at: datetime | None
    called: int
    now: datetime


async def hold(conn: Connection, limits: Sequence[Limit]) -> tuple[dict[str, Line], datetime]:
    """Lines as they are, held until the end of the transaction, and machine time."""
    by_key = {limit.key: limit.per_minute for limit in limits}
    rows = await conn.fetch(_HOLD, list(by_key), list(by_key.values()))
    heads = {row["key"]: row["head"] for row in await conn.fetch(_HEADS, list(by_key))}
    now: datetime = await conn.fetchval("select clock.machine_now()")
    return {row["key"]: Line(row["next_at"], heads[row["key"]]) for row in rows}, now


async def take(conn: Connection, next_at: Mapping[str, datetime]) -> None:
    """Keep the next free places of lines."""
    if next_at:
        await conn.execute(_TAKE, list(next_at), list(next_at.values()))


async def stand(conn: Connection, token: UUID, waiting: Mapping[UUID, Limit]) -> int:
    """Put messages of this lease in line; how many they were."""
    if not waiting:
        return 0
    rows = await conn.fetch(
        _STAND,
        token,
        list(waiting),
        [limit.key for limit in waiting.values()],
        [limit.words for limit in waiting.values()],
        [state.value for state in sources(Happening.RELEASE)],
    )
    await conn.execute(_OCCUPIED, sorted({row["pace"] for row in rows}))
    return len(rows)


async def occupied(conn: Connection) -> list[Occupied]:
    """Lines that somebody stands in, held; those that another instance minds are left to it."""
    return [Occupied(**dict(row)) for row in await conn.fetch(_LINES)]


async def let_out(conn: Connection, room: Mapping[str, int]) -> int:
    """Call the first ones of lines, as many as there is room for; how many they were."""
    rows = await conn.fetch(_LET_OUT, list(room), list(room.values()))
    await conn.execute(_EMPTIED, sorted(room))
    return len(rows)


async def forget(conn: Connection) -> None:
    """Drop lines that nobody stands in and that say nothing any more."""
    await conn.execute(_FORGET)


async def standing(conn: Connection) -> int:
    """How many messages stand in line."""
    return int(
        await conn.fetchval(
            """
            select count(*) from messages
            where state = 'planned' and pace is not null and not_before = 'infinity'
            """
        )
    )
