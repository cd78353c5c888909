"""The inbox: each event is handled once, however often it is delivered (`docs/mechanisms/inbox.md`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.db.database import Connection

Identity = tuple[str, str]
"""Source and id of an event: what makes it the same event."""

# A second claim waits for the first; if that one rolls back, the second gets it. An event that was put
# aside as dead can be claimed again by a replay alone.
_CLAIM = """
insert into inbox as held (source, event_id, seen_at)
select source, event_id, $3 from unnest($1::text[], $2::text[]) as claimed (source, event_id)
order by event_id, source
on conflict (event_id, source) do update set outcome = 'done', seen_at = $3
    where held.outcome = 'dead' and held.event_id = any($4::text[])
returning source, event_id
"""

_CLAIM_WITH_DIGESTS = """
insert into inbox as held (source, event_id, digest, seen_at)
select source, event_id, digest, $3
from unnest($1::text[], $2::text[], $5::bytea[]) as claimed (source, event_id, digest)
order by event_id, source
on conflict (event_id, source) do update set outcome = 'done', digest = excluded.digest, seen_at = $3
    where held.outcome = 'dead' and held.event_id = any($4::text[])
returning source, event_id
"""

_CONFLICTS = """
with other as (
    select told.source, told.event_id, count(*)::int as times
    from unnest($1::text[], $2::text[], $3::bytea[]) as told (source, event_id, digest)
    join inbox held on held.event_id = told.event_id and held.source = told.source
        and held.digest <> told.digest
    group by 1, 2
)
update inbox held set conflicts = held.conflicts + other.times
from other where held.event_id = other.event_id and held.source = other.source
returning held.source, held.event_id, other.times, held.conflicts = other.times as first
"""

_DEAD = """
insert into inbox as held (source, event_id, outcome, seen_at)
select source, event_id, 'dead', $3 from unnest($1::text[], $2::text[]) as claimed (source, event_id)
order by event_id, source
on conflict (event_id, source) do update set outcome = 'dead'
"""


async def claim(
    conn: Connection,
    identities: Sequence[Identity],
    wall: datetime,
    *,
    replayed: Sequence[str] = (),
    digests: Mapping[Identity, bytes] | None = None,
) -> set[Identity]:
    """Claim events for this transaction.

    Args:
        conn: inside the transaction that also writes the effects.
        identities: distinct events.
        wall: machine time, for retention.
        replayed: event ids that an operator replays from the dead letters.
        digests: what the events say, of a service whose inbox keeps that (`INBOX_DIGESTS`).

    Returns:
        Those that nobody handled before; the others are duplicates and are to be left alone.
    """
    if not identities:
        return set()
    rows = await conn.fetch(
        _CLAIM if digests is None else _CLAIM_WITH_DIGESTS,
        [source for source, _ in identities],
        [event_id for _, event_id in identities],
        wall,
        list(replayed),
        *([] if digests is None else [[digests.get(identity) for identity in identities]]),
    )
    return {(row[0], row[1]) for row in rows}


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something else came under the id of an event that is known; `first`: never before."""

    identity: Identity
    times: int
    first: bool


async def note_conflicts(conn: Connection, again: Sequence[tuple[Identity, bytes]]) -> list[Conflict]:
    """Note which of the events that came again say something else than the first of their id did."""
    if not again:
        return []
    rows = await conn.fetch(
        _CONFLICTS,
        [source for (source, _), _ in again],
        [event_id for (_, event_id), _ in again],
        [digest for _, digest in again],
    )
    return [Conflict((row["source"], row["event_id"]), row["times"], row["first"]) for row in rows]


async def mark_dead(conn: Connection, identities: Sequence[Identity], wall: datetime) -> None:
    """Record that events were put aside."""
    if identities:
        await conn.execute(
            _DEAD, [source for source, _ in identities], [event_id for _, event_id in identities], wall
        )
