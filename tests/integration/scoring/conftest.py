"""A scoring database, and shorthand for the events that come in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from shared.db.database import Database
from tests.support.scoring import Scoring


@pytest.fixture
async def db(database: Callable[[str], Awaitable[Database]]) -> Database:
    return await database("scoring")


@pytest.fixture
def scoring(db: Database) -> Scoring:
    """Scoring on a real database, fed with payloads."""
    return Scoring(db)
