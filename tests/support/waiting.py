"""Wait for what another process does; the one place of the tests that polls by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 40.0) -> None:
    """Return as soon as the condition holds.

    Raises:
        TimeoutError: it did not come to hold in time.
    """
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.05)
