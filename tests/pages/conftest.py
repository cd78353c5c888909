"""A browser, and the collector on a real port for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.support.browsing import AS_A_PERSON, chromium
from tests.support.collecting import collector, start_collector
from tests.support.collector import Collector
from tests.support.serving import served

__all__ = ["address", "browser", "collector", "start_collector"]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """As a person has it: it does not say that a program drives it."""
    async with chromium(AS_A_PERSON) as started:
        yield started


@pytest.fixture
async def address(collector: Collector) -> AsyncIterator[str]:
    async with served(collector.app) as url:
        yield url
