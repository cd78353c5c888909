"""Fixtures of a collector on a database of its own, for folders whose tests need one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import pytest

from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.collector import ORGANISATION, Collector
from tests.support.databases import OpenDatabase

StartCollector = Callable[[Mapping[str, object]], Awaitable[Collector]]


@pytest.fixture
def start_collector(
    database: OpenDatabase, sealer: Sealer, tokens: Tokens, clock: FixedClock, machine: FakeMachine
) -> StartCollector:
    """Starts one with settings of the test's own; it knows the organisation and nothing else yet."""

    async def start(settings: Mapping[str, object]) -> Collector:
        made = await Collector.start(await database("collector"), sealer, tokens, clock, machine, settings)
        await made.feed(ORGANISATION)
        return made

    return start


@pytest.fixture
async def collector(start_collector: StartCollector) -> Collector:
    """One as it is delivered."""
    return await start_collector({})
