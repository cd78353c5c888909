"""Deletes what has been kept long enough: inbox rows and dead letters (`docs/operations.md`)."""

from __future__ import annotations

from datetime import timedelta

from shared.db.database import Database
from shared.runtime.clock import Machine
from shared.runtime.loops import Loop

INBOX_KEPT = timedelta(days=150)
"""More than twice outbox plus topic retention, so that no republished event is ever new again."""

DEAD_LETTERS_KEPT = timedelta(days=7)
"""A dead letter may hold personal data in clear, as its sender wrote it."""

_INBOX = "delete from inbox where ctid = any (array(select ctid from inbox where seen_at < $1 limit 5000))"
_DEAD = "delete from dead_letters where failed_wall_at < $1"


def housekeeping(db: Database, machine: Machine) -> Loop:
    """An hourly loop; ages are machine time."""

    async def clean() -> int:
        async with db.read() as conn:
            gone = await conn.execute(_INBOX, machine.wall() - INBOX_KEPT)
            await conn.execute(_DEAD, machine.wall() - DEAD_LETTERS_KEPT)
        return int(gone.rsplit(" ", 1)[-1])

    return Loop("housekeeping", 3600.0, clean, due=False, woken=False)
