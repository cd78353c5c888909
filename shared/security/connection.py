"""The database connection that callers lend; a transaction is theirs to open and to end."""

import asyncpg
from asyncpg.pool import PoolConnectionProxy

Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
