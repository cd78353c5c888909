"""What other processes committed: a bell by LISTEN and NOTIFY, and places in the order of commits.

A place is a snapshot of PostgreSQL as text: which transactions had committed by then. Rows keep in an `xid8`
which transaction wrote them last, so "what was committed since" is exact in whatever order transactions
commit. A counter would not be: the lower number may become visible after the higher one was read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

from shared.db.database import Connection, Database
from shared.errors import Unavailable

LOOK_SECONDS = 30.0
"""How often a line that is silent is looked at: one that was cut does not say so."""


async def ring(conn: Connection, channel: str) -> None:
    """Ring in every process that listens, once this transaction has committed."""
    await conn.execute("select pg_notify($1, '')", channel)


async def place_now(conn: Connection) -> str:
    """The place up to which everything is seen by a statement that follows."""
    place: str = await conn.fetchval("select pg_current_snapshot()::text")
    return place


async def is_place(conn: Connection, place: str) -> bool:
    """Whether a text is a place in the history of this database, and not of one that it replaced."""
    try:
        past: bool = await conn.fetchval(
            "select pg_snapshot_xmax($1::text::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot())", place
        )
    except asyncpg.DataError:
        return False
    return past


def since(column: str, place: str) -> str:
    """A condition: the transaction in `column` has committed since a place.

    Args:
        column: an `xid8`.
        place: the parameter that holds the place, as `$1`.
    """
    snapshot = f"{place}::text::pg_snapshot"
    # The first part is implied and lets an index be used. Numbers of a database that this one replaced may
    # lie beyond all of its own: they say nothing.
    return (
        f"({column} >= pg_snapshot_xmin({snapshot}) and {column} < pg_snapshot_xmax(pg_current_snapshot())"
        f" and not pg_visible_in_snapshot({column}, {snapshot}))"
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A connection that listens."""

    conn: Connection
    rung: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> None:
        """Until somebody rang since the last time.

        Raises:
            Unavailable: the line is gone.
        """
        while not self.rung.is_set():
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self.rung.wait()
            except TimeoutError:
                await self.conn.execute("select 1")
        self.rung.clear()
        if self.conn.is_closed():
            raise Unavailable("database: the listening connection is gone")


@asynccontextmanager
async def listening(db: Database, channel: str) -> AsyncIterator[Line]:
    """Listen with one of the pool's connections.

    Raises:
        Unavailable: no connection can be had.
    """
    async with db.read() as conn:
        line = Line(conn)

        def hear(*_: object) -> None:
            line.rung.set()

        await conn.add_listener(channel, hear)
        conn.add_termination_listener(hear)
        try:
            yield line
        finally:
            conn.remove_termination_listener(hear)
            if not conn.is_closed():
                await conn.remove_listener(channel, hear)
