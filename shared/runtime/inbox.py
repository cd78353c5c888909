"""The inbox: each event is handled once, however often it is delivered (`docs/mechanisms/inbox.md`)."""

from __future__ import annotations

from collections.abc import Sequence
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

_DEAD = """
insert into inbox as held (source, event_id, outcome, seen_at)
select source, event_id, 'dead', $3 from unnest($1::text[], $2::text[]) as claimed (source, event_id)
order by event_id, source
on conflict (event_id, source) do update set outcome = 'dead'
"""


async def claim(
    conn: Connection, identities: Sequence[Identity], wall: datetime, *, replayed: Sequence[str] = ()
) -> set[Identity]:
    """Claim events for this transaction.

    Args:
        conn: inside the transaction that also writes the effects.
        identities: distinct events.
        wall: machine time, for retention.
        replayed: event ids that an operator replays from the dead letters.

    Returns:
        Those that nobody handled before; the others are duplicates and are to be left alone.
    """
    if not identities:
        return set()
    rows = await conn.fetch(
        _CLAIM,
        [source for source, _ in identities],
        [event_id for _, event_id in identities],
        wall,
        list(replayed),
    )
    return {(row[0], row[1]) for row in rows}


async def mark_dead(conn: Connection, identities: Sequence[Identity], wall: datetime) -> None:
    """Record that events were put aside."""
    if identities:
        await conn.execute(
            _DEAD, [source for source, _ in identities], [event_id for _, event_id in identities], wall
        )
