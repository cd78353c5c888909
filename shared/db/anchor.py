"""The anchor row of business time: read by every process, moved by a demo or a test."""

from __future__ import annotations

from datetime import datetime

from shared.db.database import Connection
from shared.runtime.clock import Anchor, Machine, Reading


async def read_anchor(conn: Connection, machine: Machine) -> Reading:
    """The anchor and the database's clock, read together."""
    row = await conn.fetchrow("select business_at, machine_at, rate, clock.machine_now() from clock.anchor")
    assert row is not None  # noqa: S101 - the migration put it there
    return Reading(Anchor(row[0], row[1], row[2]), row[3], machine.monotonic())


async def set_anchor(conn: Connection, business_at: datetime, rate: float) -> None:
    """Move business time: from now on it is `business_at`, going on at `rate` (0 stands, 1 real time)."""
    await conn.execute(
        "update clock.anchor set business_at = $1, machine_at = clock.machine_now(), rate = $2",
        business_at,
        rate,
    )
