"""Roles, schemas and alembic migrations of one deployment. Idempotent; run before the services start.

Each service has a login role and a schema of its own that it owns. The schemas `keys`, `access` and `clock`
are shared: see `docs/decisions/0001-a-schema-per-service.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from shared.db.ddl import CLOCK_SCHEMA
from shared.security.ddl import ACCESS_DDL, KEYS_DDL

_SHARED_SCHEMAS = ("keys", "access")
_READERS = "afterword_bi"
"""Schema of views for tools that only read, and the role that sees them; both are made for `_OFFERING`."""

_OFFERING = frozenset({"scoring"})
_LOCK = 7_214_001


def role_of(service: str) -> str:
    """Login role of a service."""
    return f"afterword_{service}"


async def provision(admin_dsn: str, services: Sequence[str], password: str) -> None:
    """Create or repair roles, schemas and grants, then migrate every service to its newest revision.

    Args:
        admin_dsn: connection of a role that may create roles.
        services: names of services; `services/<name>/migrations/versions` holds their revisions.
        password: password of all service roles.
    """
    conn = await asyncpg.connect(admin_dsn)
    try:
        # Two starting processes take turns; the lock goes with the connection.
        await conn.execute("select pg_advisory_lock($1)", _LOCK)
        async with conn.transaction():
            await conn.execute(CLOCK_SCHEMA)
            for table, ddl in (("keys.data_keys", KEYS_DDL), ("access.users", ACCESS_DDL)):
                if await conn.fetchval("select to_regclass($1)", table) is None:
                    await conn.execute(ddl)
            for service in services:
                await _role(conn, service, password)
        for service in services:
            await migrate(admin_dsn, service)
    finally:
        await conn.close()


async def migrate(admin_dsn: str, service: str, revision: str = "head") -> None:
    """Bring one service's schema to a revision, acting as its own role so that it owns what is made."""
    url = admin_dsn.replace("postgresql://", "postgresql+asyncpg://", 1).replace(
        "postgres://", "postgresql+asyncpg://", 1
    )
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as conn:
            await conn.execute(text(f"set role {role_of(service)}"))
            await conn.execute(text(f"set search_path to {service}"))
            await conn.run_sync(_upgrade, service, revision)
    finally:
        await engine.dispose()


def _upgrade(conn: SyncConnection, service: str, revision: str) -> None:
    root = Path(__file__).resolve().parents[2]
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "alembic"))
    config.set_main_option("version_locations", str(root / "services" / service / "migrations" / "versions"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    config.attributes["schema"] = service
    command.upgrade(config, revision)


async def _role(conn: asyncpg.Connection, service: str, password: str) -> None:
    role = role_of(service)
    quoted = await conn.fetchval("select quote_literal($1)", password)
    if not await conn.fetchval("select true from pg_roles where rolname = $1", role):
        await conn.execute(f"create role {role} login")
    await conn.execute(f"alter role {role} with login password {quoted}")
    await conn.execute(f"create schema if not exists {service} authorization {role}")
    await conn.execute(f"grant usage on schema clock to {role}")
    await conn.execute(f"grant select, update on clock.anchor to {role}")
    if service in _OFFERING:
        await _readers(conn, role)
    for schema in _SHARED_SCHEMAS:
        await conn.execute(f"grant usage on schema {schema} to {role}")
        await conn.execute(f"grant select, insert, update, delete on all tables in schema {schema} to {role}")
        await conn.execute(f"grant usage, select on all sequences in schema {schema} to {role}")


async def _readers(conn: asyncpg.Connection, offered_by: str) -> None:
    """The role has no login: an operator makes one for each tool and lets it in (`docs/views.md`)."""
    if not await conn.fetchval("select true from pg_roles where rolname = $1", _READERS):
        await conn.execute(f"create role {_READERS} nologin")
    await conn.execute(f"create schema if not exists {_READERS}")
    await conn.execute(f"grant usage, create on schema {_READERS} to {offered_by}")
    await conn.execute(f"grant usage on schema {_READERS} to {_READERS}")
    # Whoever may connect may make temporary tables unless that is taken from everybody; no service makes any.
    database = await conn.fetchval("select quote_ident(current_database())")
    await conn.execute(f"revoke temporary on database {database} from public, {_READERS}")
