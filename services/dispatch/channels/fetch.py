"""Fetches what a provider's own, proven host offers: a certificate, a confirmation."""

from __future__ import annotations

import asyncio

import httpx

from shared.errors import Unavailable

SECONDS = 5.0
MAX_BYTES = 64 * 1024


async def fetch(url: str, transport: httpx.AsyncBaseTransport | None = None) -> bytes:
    """Get a small document over HTTPS; no redirect is followed, and no more is read than is allowed.

    Raises:
        Unavailable: it could not be had, or is too large.
    """
    client = httpx.AsyncClient(timeout=SECONDS, trust_env=False, follow_redirects=False, transport=transport)
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
