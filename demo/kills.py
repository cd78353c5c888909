"""Kills Afterword at moments of chance while the story is told: the sums at the end must not show it.

`DEMO_KILLS=10 make demo` ends `afterword up` ten times by SIGKILL, every third time together with the broker
and all its records. `DEMO_SEED` chooses the moments.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Self

from demo.chance import Chance
from demo.supervisor import Afterword

LEAST, MOST = timedelta(seconds=2), timedelta(seconds=12)


class Killer:
    """Kills a number of times, each some seconds after Afterword was ready again."""

    def __init__(self, afterword: Afterword, chance: Chance, times: int) -> None:
        self._afterword = afterword
        self._chance = chance
        self._times = times
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._times:
            self._task = asyncio.create_task(self._kill())  # noqa: TID251 - cancelled in __aexit__
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _kill(self) -> None:
        for number in range(self._times):
            await self._afterword.ready()
            await asyncio.sleep(self._chance.between(LEAST, MOST, "kill", number).total_seconds())
            if number % 3 == 2:
                self._afterword.kill_broker()
            await self._afterword.kill()
