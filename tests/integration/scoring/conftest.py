"""A scoring database, and shorthand for the events that come in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.security.access import Scope
from tests.support.score_pages import access_to, application
from tests.support.scoring import Scoring


@pytest.fixture
async def db(database: Callable[[str], Awaitable[Database]]) -> Database:
    return await database("scoring")


@pytest.fixture
def scoring(db: Database) -> Scoring:
    """Scoring on a real database, fed with payloads."""
    return Scoring(db)


@pytest.fixture
async def api(db: Database, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    """The API for whoever may read scores."""
    access = access_to(db, clock)
    _, key = await access.create_key("bi", frozenset({Scope.SCORES_READ}), None)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application(db, clock, access)), base_url="http://test",
        headers={"Authorization": f"Bearer {key}"},
    ) as client:  # fmt: skip
        yield client
