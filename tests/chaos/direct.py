"""The campaign's own way into the database, without the proxy: one connection, made anew when it was torn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg
from aiokafka.errors import KafkaError

T = TypeVar("T")
TROUBLES = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # of a connection that was torn in mid-statement
    KafkaError,
)
"""What the database, the broker and their clients raise when one of them is away."""
AGAIN_SECONDS = 0.15


class Direct:
    """Asks the database as its superuser."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._conn: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()

    async def fetch(self, statement: str, *args: object) -> list[Any]:
        """Rows of a query.

        Raises:
            OSError: or another of `TROUBLES`, when the database is away.
        """
        async with self._turn:
            try:
                if self._conn is None or self._conn.is_closed():
                    self._conn = await asyncpg.connect(self._dsn, timeout=3, command_timeout=10)
                return list(await self._conn.fetch(statement, *args))
            except TROUBLES:
                conn, self._conn = self._conn, None
                if conn is not None:
                    conn.terminate()
                raise

    async def value(self, statement: str, *args: object) -> Any:
        """The first column of the first row."""
        rows = await self.fetch(statement, *args)
        return rows[0][0] if rows else None

    def close(self) -> None:
        """Hang up."""
        if self._conn is not None:
            self._conn.terminate()


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again while database or broker are away."""
    while True:
        try:
            return await ask()
        except TROUBLES:
            await asyncio.sleep(AGAIN_SECONDS)
