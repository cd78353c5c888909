"""A database with nothing but the two shared schemas."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.db.database import Database, connect
from shared.embedded.postgres import PostgresAddress
from shared.runtime.clock import FakeMachine, FixedClock
from tests.support.databases import cloned, ensure_template


@pytest.fixture
async def access_db(
    postgres_server: PostgresAddress, run_folder: Path, clock: FixedClock, machine: FakeMachine
) -> AsyncIterator[Database]:
    template = await ensure_template(postgres_server, (), run_folder)
    async with cloned(postgres_server, template) as fresh:
        database = await connect(fresh.admin_dsn, service="access", clock=clock, machine=machine, size=4)
        yield database
        await database.close()
