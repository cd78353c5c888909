"""Reads Server-Sent Events as a program does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

PATIENCE = 20.0
"""Seconds; only a test that fails waits for them."""


@dataclass
class Told:
    """One block of a stream; a comment alone has neither kind nor data."""

    kind: str = ""
    data: str = ""
    id: str = ""
    comment: str = ""
    retry: str = ""


@dataclass
class Stream:
    """An open stream."""

    response: httpx.Response
    last: str = ""
    """The last id that came."""
    _lines: AsyncIterator[str] = field(init=False)

    def __post_init__(self) -> None:
        """Begin to read."""
        self._lines = self.response.aiter_lines()

    async def block(self) -> Told | None:
        """The next block, whatever it holds; None when the stream has ended."""
        told = Told()
        async with asyncio.timeout(PATIENCE):
            async for line in self._lines:
                if not line:
                    self.last = told.id or self.last
                    return told
                name, _, value = line.partition(":")
                setattr(told, {"": "comment", "event": "kind"}.get(name, name), value.removeprefix(" "))
        return None

    async def event(self) -> Told:
        """The next event.

        Raises:
            AssertionError: the stream has ended.
        """
        while (told := await self.block()) is not None:
            if told.kind:
                return told
        raise AssertionError("the stream has ended")

    async def up_to_date(self) -> str:
        """Read on until there is an id; returns it."""
        while not self.last:
            assert await self.block() is not None, "the stream has ended"
        return self.last

    async def rest(self) -> list[Told]:
        """Every event until the end."""
        found = []
        while (told := await self.block()) is not None:
            found += [told] if told.kind else []
        return found


@asynccontextmanager
async def streamed(url: str, *, last: str = "", **asked: Any) -> AsyncIterator[Stream]:
    """Open a stream.

    Args:
        url: its address.
        last: id to go on from.
        asked: what httpx takes: params, headers, cookies.
    """
    headers = asked.pop("headers", {}) | ({"Last-Event-ID": last} if last else {})
    async with (
        httpx.AsyncClient(timeout=None) as client,  # noqa: S113 - each reading has its own
        client.stream("GET", url, headers=headers, **asked) as response,
    ):
        yield Stream(response)
