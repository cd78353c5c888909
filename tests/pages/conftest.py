"""A browser, and the collector on a real port for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser

from shared.db.database import Database
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.browsing import AS_A_PERSON, chromium
from tests.support.collector import ORGANISATION, Collector
from tests.support.serving import served


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """As a person has it: it does not say that a program drives it."""
    async with chromium(AS_A_PERSON) as started:
        yield started


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
