"""Business time of a campaign: it stands and is moved by hours every second, not within anybody's moment.

A standing clock keeps what belongs together together: the links that a gateway opens within a second are
opened within a second of business time too. Nothing can be early, since nobody can be ahead.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

from tests.chaos.direct import TROUBLES
from tests.chaos.fleet import STAND, Fleet

MOMENT_SECONDS = 8.0
"""How long a moment of somebody can hold the clock back."""
_NOTICED_SECONDS = 0.25


class Calendar:
    """A clock that the campaign moves."""

    def __init__(self, fleet: Fleet, start: datetime, step: timedelta, every: float) -> None:
        self._fleet = fleet
        self._now = start
        self._step = step
        self._every = every
        self._moments = 0
        self._free = asyncio.Condition()
        self._moving = asyncio.Lock()
        self.steps = 0

    def now(self) -> datetime:
        """Where business time stands."""
        return self._now

    @asynccontextmanager
    async def moment(self) -> AsyncIterator[None]:
        """Time in which business time stands, if it does not take too long."""
        async with self._moving:
            self._moments += 1
        try:
            yield
        finally:
            async with self._free:
                self._moments -= 1
                self._free.notify_all()

    async def run(self) -> None:
        """Move on until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            with suppress(*TROUBLES):
                await self.step(self._step)

    async def step(self, by: timedelta) -> None:
        """Move on once nobody is in the middle of something.

        Raises:
            OSError: or what else the database raises when it is away; time stands then.
        """
        async with self._moving:
            with suppress(TimeoutError):
                async with asyncio.timeout(MOMENT_SECONDS), self._free:
                    await self._free.wait_for(lambda: self._moments == 0)
            await self.set(self._now + by, 0.0)
            self.steps += 1
            await self.noticed(self._now)

    async def noticed(self, _at: datetime) -> None:
        """Wait until the processes go by the new time: each looks at the clock twenty times a second."""
        await asyncio.sleep(_NOTICED_SECONDS)

    @asynccontextmanager
    async def frozen(self) -> AsyncIterator[None]:
        """Keep business time from being moved."""
        async with self._moving:
            yield

    async def set(self, at: datetime, rate: float) -> None:
        """Set the anchor; the caller holds the clock."""
        await self._fleet.direct.fetch(STAND, at, rate)
        self._now = at
