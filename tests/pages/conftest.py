"""A browser, and the collector on a real port for it.

A browser belongs to the loop that started it, and starting one costs as much as looking at a page. So all
pages that a process looks at share one loop and one browser: async fixtures of this folder are made with
`loop_scope="session"`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from shared.embedded.postgres import PostgresAddress
from shared.runtime.clock import FakeMachine, FixedClock
from tests.conftest import START
from tests.support.browsing import AS_A_PERSON, chromium
from tests.support.collecting import StartCollector, start_collector
from tests.support.collector import Collector
from tests.support.databases import OpenDatabase, fresh_services
from tests.support.serving import served

__all__ = ["start_collector"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of this folder in the loop of their browser."""
    for item in items:
        if item.path.parent == Path(__file__).parent and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def only_browser() -> AsyncIterator[Browser]:
    """As a person has it: it does not say that a program drives it."""
    async with chromium(AS_A_PERSON) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def browser(only_browser: Browser) -> AsyncIterator[Browser]:
    """It forgets whatever a test saw; what a page was seen with does not reach the next."""
    yield only_browser
    for context in only_browser.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def database(
    postgres_server: PostgresAddress, run_folder: Path, clock: FixedClock, machine: FakeMachine
) -> AsyncIterator[OpenDatabase]:
    """As everywhere, in the loop of the browser."""
    async with fresh_services(postgres_server, run_folder, clock, machine) as open_database:
        yield open_database


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_database(postgres_server: PostgresAddress, run_folder: Path) -> AsyncIterator[OpenDatabase]:
    """For what the tests of a file only look at."""
    clock, machine = FixedClock(START), FakeMachine(START)
    async with fresh_services(postgres_server, run_folder, clock, machine) as open_database:
        yield open_database


@pytest_asyncio.fixture(loop_scope="session")
async def collector(start_collector: StartCollector) -> Collector:
    """One as it is delivered."""
    return await start_collector({})


@pytest_asyncio.fixture(loop_scope="session")
async def address(collector: Collector) -> AsyncIterator[str]:
    async with served(collector.app) as url:
        yield url
