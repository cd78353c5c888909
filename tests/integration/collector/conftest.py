"""A collector on a database of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from shared.db.database import Database
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.collector import ORGANISATION, Collector


@pytest.fixture
async def collector(
    database: Callable[[str], Awaitable[Database]],
    sealer: Sealer,
    tokens: Tokens,
    clock: FixedClock,
    machine: FakeMachine,
) -> Collector:
    """Knows the organisation and nothing else yet."""
    db = await database("collector")
    made = await Collector.start(db, sealer, tokens, clock, machine)
    await made.feed(ORGANISATION)
    return made
