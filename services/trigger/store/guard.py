"""A database that goes away in mid-statement, told to routes in the one word they understand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from shared.db.database import Database, Tx
from shared.db.errors import is_transient
from shared.errors import Unavailable


@asynccontextmanager
async def unit_of_work(db: Database) -> AsyncIterator[Tx]:
    """`db.begin()` for a route.

    Raises:
        Unavailable: The database is away, or went away before the commit; the caller may repeat the whole
        request.
    """
    try:
        async with db.begin() as tx:
            yield tx
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        if is_transient(error):
            raise Unavailable(f"database: {type(error).__name__}") from error
        raise
