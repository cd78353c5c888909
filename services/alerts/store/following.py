"""Tickets that changed since a place in the order of commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db.database import Connection
from shared.db.notify import since

FEED = "tickets"
"""Rung when tickets were written."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a ticket stands; nothing personal."""

    id: UUID
    version: int
    state: str
    account_id: UUID | None
    programme: str
    owner: UUID | None
    opened_at: datetime
    contact_due_at: datetime
    breaches_at: datetime
    ended_at: datetime | None
    level: int


async def standing(conn: Connection, place: str) -> Sequence[Standing]:
    """Tickets that changed since a place; all open ones, where there is none. The most urgent leads."""
    condition = since("changed_in", "$1") if place else "state in ('open', 'acknowledged', 'contacted')"
    rows = await conn.fetch(
        f"""
        select id, version, state, nullif(snapshot ->> 'account_id', '')::uuid as account_id,
            snapshot ->> 'programme' as programme, owner, opened_at, contact_due_at, breach_at as breaches_at,
            ended_at, told as level
        from tickets where {condition} order by breach_at, id
        """,  # noqa: S608 - a condition of our own
        *([place] if place else ()),
    )
    return [Standing(**dict(row)) for row in rows]
