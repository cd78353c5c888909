"""A fresh database with nothing but the two shared schemas."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from shared.db.database import Connection, Database, connect
from shared.embedded.postgres import PostgresAddress
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.access import Access
from shared.security.passwords import Passwords
from tests.support.databases import cloned, ensure_template

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
async def access_db(
    postgres_server: PostgresAddress, run_folder: Path, clock: FixedClock, machine: FakeMachine
) -> AsyncIterator[Database]:
    template = await ensure_template(postgres_server, (), run_folder)
    async with cloned(postgres_server, template) as fresh:
        database = await connect(fresh.admin_dsn, service="access", clock=clock, machine=machine, size=4)
        yield database
        await database.close()


@pytest.fixture
async def conn(access_db: Database) -> AsyncIterator[Connection]:
    async with access_db.read() as lent:
        yield lent


@pytest.fixture
def access(access_db: Database, clock: FixedClock, machine: FakeMachine) -> Access:
    return Access(access_db, clock, machine, passwords=Passwords(CHEAP), secure=False)
