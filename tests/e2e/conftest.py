"""A house of all five services for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.embedded.postgres import PostgresAddress
from tests.support.databases import SERVICES, TestDatabase, cloned, ensure_template
from tests.support.house import House, opened
from tests.support.lanes import a_log
from tests.support.story import Ending, live

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
"""A Tuesday morning."""


ON_KAFKA_TOO = pytest.mark.parametrize(
    "house", ["memory", pytest.param("kafka", marks=pytest.mark.kafka)], indirect=True
)


@pytest.fixture
async def house(request: pytest.FixtureRequest, fresh_database: TestDatabase) -> AsyncIterator[House]:
    kind = getattr(request, "param", "memory")
    async with a_log(kind) as log, opened(fresh_database, START, log) as house:
        yield house


@pytest.fixture
async def undisturbed(postgres_server: PostgresAddress, run_folder: Path) -> Ending:
    """How the story ends when nothing goes wrong; told once a process."""
    if not _undisturbed:
        template = await ensure_template(postgres_server, SERVICES, run_folder)
        async with cloned(postgres_server, template) as database, opened(database, START) as house:
            _undisturbed.append(await live(house))
    return _undisturbed[0]


_undisturbed: list[Ending] = []
