"""Messages that came too late for the hours of their recipients, and wait for the next ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from services.dispatch.domain.states import Happening, sources
from shared.db.database import Connection

# Until its hours a message is due for nobody, and stands in no line: the limit is asked again then.
_WAIT = """
update messages as m set state = 'planned', lease_token = null, lease_until = null, not_before = 'infinity',
    opens_at = w.at, pace = null
from unnest($2::uuid[], $3::timestamptz[]) as w (delivery_id, at)
where m.delivery_id = w.delivery_id and m.lease_token = $1 and m.state = any($4::text[])
"""
_LET_GO = """
update messages set not_before = clock.machine_now(), opens_at = null
where delivery_id in (
    select delivery_id from messages where state = 'planned' and opens_at <= $1
    order by opens_at, delivery_id limit $2 for update skip locked)
returning delivery_id
"""
BATCH = 1000


async def wait(conn: Connection, token: UUID, until: Mapping[UUID, datetime]) -> None:
    """Put messages of this lease back until an instant of business time each."""
    if until:
        states = [state.value for state in sources(Happening.RELEASE)]
        await conn.execute(_WAIT, token, list(until), list(until.values()), states)


async def let_go(conn: Connection, now: datetime) -> int:
    """Let the first ones whose hours have come be due; how many they were."""
    return len(await conn.fetch(_LET_GO, now, BATCH))
