"""A house of all five services for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from tests.support.databases import TestDatabase
from tests.support.house import House, opened

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
"""A Tuesday morning."""


@pytest.fixture
async def house(fresh_database: TestDatabase) -> AsyncIterator[House]:
    async with opened(fresh_database, START) as house:
        yield house
