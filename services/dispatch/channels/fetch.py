"""Fetches what a provider's own, proven host offers: a certificate, a confirmation."""

from __future__ import annotations

import httpx

from shared.errors import Unavailable

SECONDS = 5.0
MAX_BYTES = 64 * 1024


async def fetch(url: str) -> bytes:
    """Get a small document over HTTPS.

    Raises:
        Unavailable: it could not be had, or is too large.
    """
    try:
        async with httpx.AsyncClient(timeout=SECONDS, trust_env=False, follow_redirects=False) as client:
            answer = await client.get(url)
            answer.raise_for_status()
    except httpx.HTTPError as error:
        raise Unavailable(f"{type(error).__name__} while fetching a provider's document") from error
    if len(answer.content) > MAX_BYTES:
        raise Unavailable("a provider's document is too large")
    return answer.content
