"""The PostgreSQL of a benchmark: a durable cluster under .artifacts, with as many databases as it needs."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.kit import ROOT
from shared.db.database import Database, connect
from shared.db.migrations import provision, role_of
from shared.embedded.postgres import ADMIN, PostgresAddress, ensure_postgres, stop_postgres
from shared.runtime.clock import Clock, SystemMachine

MEMORY = "8GB"
"""As a server has that is meant to hold ten million plans: a third of this machine's."""

PASSWORD = "bench"  # noqa: S105 - of databases on loopback that hold made-up data


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server with its databases."""

    address: PostgresAddress
    home: Path

    def admin_dsn(self, database: str) -> str:
        """As the superuser."""
        return self.address.dsn(ADMIN, self.address.password, database)

    def dsn(self, database: str, service: str) -> str:
        """As a service."""
        return self.address.dsn(role_of(service), PASSWORD, database)

    async def fresh(self, database: str, *services: str) -> None:
        """Make a database anew, with today's schema of services."""
        conn = await asyncpg.connect(self.admin_dsn("postgres"))
        await conn.execute(f"drop database if exists {database} with (force)")
        await conn.execute(f"create database {database}")
        await conn.close()
        if services:
            await provision(self.admin_dsn(database), services, PASSWORD)

    async def keep(self, database: str, *services: str) -> None:
        """Say of a database that it is filled, so that later runs find it."""
        async with self.admin(database) as conn:
            await conn.execute(f"comment on database {database} is '{_schema(services)}'")

    async def holds(self, database: str, *services: str) -> bool:
        """Whether there is such a database, filled with the schema that these services have today."""
        async with self.admin("postgres") as conn:
            found = await conn.fetchval(
                "select shobj_description(oid, 'pg_database') from pg_database where datname = $1", database
            )
        return bool(found == _schema(services))

    async def warm(self, database: str, schema: str, *, kinds: Sequence[str] = ("r", "i")) -> None:
        """Read tables (r) and indexes (i) into memory, where they are once a server ran for some days."""
        async with self.admin(database) as conn:
            await conn.execute("create extension if not exists pg_prewarm")
            await conn.execute(
                "select pg_prewarm(oid) from pg_class"
                " where relnamespace = $1::regnamespace and relkind::text = any($2::text[])",
                schema,
                kinds,
                timeout=600,
            )

    @asynccontextmanager
    async def admin(self, database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
        """A superuser's connection."""
        conn = await asyncpg.connect(self.admin_dsn(database))
        try:
            yield conn
        finally:
            await conn.close()

    async def database(self, database: str, service: str, clock: Clock, *, size: int = 10) -> Database:
        """A service's pool, as the service opens it."""
        return await connect(
            self.dsn(database, service), service=service, clock=clock, machine=SystemMachine(), size=size
        )


def _schema(services: Sequence[str]) -> str:
    """A digest of the migrations of services: rows that were written before one of them are of no use."""
    files = [file for name in services for file in (ROOT / "services" / name / "migrations").rglob("*.py")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()


@asynccontextmanager
async def cluster(name: str) -> AsyncIterator[Cluster]:
    """A server for one benchmark; its data stay for the next run."""
    home = ROOT / ".artifacts" / name
    home.mkdir(parents=True, exist_ok=True)
    address = await ensure_postgres(home, memory=MEMORY)
    try:
        yield Cluster(address, home)
    finally:
        await stop_postgres(home)
