"""Fetches what a provider's own, proven host offers: a certificate, a confirmation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx

from shared.errors import Unavailable
from shared.runtime.clock import Machine
from shared.runtime.trust import authorities

SECONDS = 5.0
MAX_BYTES = 64 * 1024
KEPT_SECONDS = 24 * 3600.0
MOST_KEPT = 16
Fetch = Callable[[str], Awaitable[bytes]]


class Kept:
    """Documents that do not change under their address, kept for a day; of too many the oldest goes.

    Args:
        fetch: gets one.
        sound: whether one is what it should be; nothing else is kept.
    """

    def __init__(self, fetch: Fetch, machine: Machine, sound: Callable[[bytes], bool]) -> None:
        self._fetch = fetch
        self._machine = machine
        self._sound = sound
        self._kept: dict[str, tuple[float, bytes]] = {}

    async def get(self, url: str) -> bytes:
        """The document; asked for again when it was kept for a day.

        Raises:
            Unavailable: it could not be had.
        """
        since, content = self._kept.get(url, (0.0, b""))
        if content and self._machine.monotonic() - since < KEPT_SECONDS:
            return content
        content = await self._fetch(url)
        self._kept.pop(url, None)
        if self._sound(content):
            self._kept[url] = (self._machine.monotonic(), content)
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return content


async def fetch(url: str, transport: httpx.AsyncBaseTransport | None = None) -> bytes:
    """Get a small document over HTTPS; no redirect is followed, and no more is read than is allowed.

    Raises:
        Unavailable: it could not be had, or is too large.
    """
    client = httpx.AsyncClient(
        timeout=SECONDS,
        trust_env=False,
        follow_redirects=False,
        transport=transport,
        verify=authorities(),
    )
    content = bytearray()
    try:
        async with asyncio.timeout(SECONDS), client, client.stream("GET", url) as answer:
            answer.raise_for_status()
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > MAX_BYTES:
                    raise Unavailable("a provider's document is too large")
    except (httpx.HTTPError, TimeoutError) as error:
        raise Unavailable(f"{type(error).__name__} while fetching a provider's document") from error
    return bytes(content)
