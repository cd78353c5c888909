"""What a person or a well-made client does when a service is away: wait a moment and do the same again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
from aiokafka.errors import KafkaError

T = TypeVar("T")
TRIES = 240
PAUSE_SECONDS = 0.5


class Away(Exception):
    """The service said: not now."""


async def patiently(
    attempt: Callable[[], Awaitable[T]], *, tries: int = TRIES, pause: float = PAUSE_SECONDS
) -> T:
    """Repeat until it works; two minutes at most, then the error of the last try."""
    for left in reversed(range(tries)):
        try:
            return await attempt()
        except (httpx.TransportError, httpx.HTTPStatusError, KafkaError, ConnectionError, Away) as error:
            answered = isinstance(error, httpx.HTTPStatusError) and error.response.status_code < 500
            if answered or not left:
                raise
            await asyncio.sleep(pause)
    raise AssertionError
