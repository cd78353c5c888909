"""One call of a provider over HTTP, and what its failure says: not sent for sure, or nobody can know."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import httpx

from shared.errors import SendError
from shared.runtime.trust import authorities

TOO_MANY = 429
MAX_WAIT = timedelta(hours=1)
MAX_DIGITS = 10
_BEFORE = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""Nothing of the request was on the wire."""


class Caller:
    """Kept connections to one provider; follows no redirect and asks no proxy of the environment.

    `seconds` limits one call, connecting included; the wait for one of `connections` does not count.
    """

    def __init__(self, seconds: float, connections: int) -> None:
        self._seconds = seconds
        self._connections = connections
        self._slots = asyncio.Semaphore(connections)
        self._http = self._client()

    async def post(
        self, url: str, content: bytes, headers: Mapping[str, str], *, repeatable: bool = False
    ) -> httpx.Response:
        """Make one call.

        Raises:
            SendError: no answer came; `uncertain` once bytes were on the wire, unless the receiver drops
                repetitions (`repeatable`).
        """
        async with self._slots:
            try:
                async with asyncio.timeout(self._seconds):
                    return await self._http.post(url, content=content, headers=dict(headers))
            except _BEFORE as error:
                raise SendError(f"connect: {type(error).__name__}", permanent=False) from error
            except (httpx.HTTPError, TimeoutError) as error:
                words = f"answer: {type(error).__name__}"
                raise SendError(words, permanent=False, uncertain=not repeatable) from error

    async def close(self) -> None:
        """Give kept connections back; the next call opens new ones."""
        await self._http.aclose()
        self._http = self._client()

    def _client(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=self._connections, max_keepalive_connections=self._connections)
        return httpx.AsyncClient(
            timeout=None,  # noqa: S113 - each call has a limit of its own
            limits=limits,
            follow_redirects=False,
            trust_env=False,
            verify=authorities(),
        )


def retry_after(response: httpx.Response) -> timedelta | None:
    """The wait that an answer asks for in whole seconds, an hour at most."""
    value = response.headers.get("retry-after", "")
    if not value.isdigit() or len(value) > MAX_DIGITS:
        return None
    return min(timedelta(seconds=int(value)), MAX_WAIT)
