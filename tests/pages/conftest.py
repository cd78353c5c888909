"""The collector on a real port, for browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from shared.db.database import Database
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.collector import ORGANISATION, Collector
from tests.support.score_pages import served


@pytest.fixture
async def collector(
    database: Callable[[str], Awaitable[Database]],
    sealer: Sealer,
    tokens: Tokens,
    clock: FixedClock,
    machine: FakeMachine,
) -> Collector:
    made = await Collector.start(await database("collector"), sealer, tokens, clock, machine)
    await made.feed(ORGANISATION)
    return made


@pytest.fixture
async def address(collector: Collector) -> AsyncIterator[str]:
    async with served(collector.app) as url:
        yield url
