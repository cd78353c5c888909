"""A house of all five services for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from shared.embedded.postgres import PostgresAddress
from tests.support.databases import SERVICES, TestDatabase, cloned, ensure_template
from tests.support.house import House, opened
from tests.support.lanes import a_log
from tests.support.story import Ending, live
from tests.support.troubles import BAD, Trouble

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


NewDatabase = Callable[[], AbstractAsyncContextManager[TestDatabase]]


@pytest.fixture
async def new_database(postgres_server: PostgresAddress, run_folder: Path) -> NewDatabase:
    """Opens a fresh database of all services, as often as a test asks."""
    template = await ensure_template(postgres_server, SERVICES, run_folder)
    return partial(cloned, postgres_server, template)


@pytest.fixture
async def undisturbed(new_database: NewDatabase) -> Ending:
    """How the story ends when nothing goes wrong; told once a process."""
    if "calm" not in _told:
        async with new_database() as database, opened(database, START) as house:
            _told["calm"] = await live(house)
    return _told["calm"]


@pytest.fixture
async def troubled(undisturbed: Ending, new_database: NewDatabase) -> Ending:
    """How the story ends with bad records and the loss of the broker, but without a death."""
    if "troubled" not in _told:
        async with new_database() as database, opened(database, START) as house:
            _told["troubled"] = await live(house, fault=Trouble(undisturbed.rounds), dead=len(BAD))
    return _told["troubled"]


_told: dict[str, Ending] = {}
