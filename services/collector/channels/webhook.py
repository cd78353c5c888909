"""Posts to addresses that customers name, and never to our own network by their wish."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property

import httpx

from services.collector.domain.webhooks import Answer

SECONDS = 15.0
_MOST_SECONDS = 7


class WebhookChannel:
    """Calls endpoints; redirects are not followed.

    The name is looked up here and the call goes to the very address that was looked at: a name that leads to
    a public address when it is checked and inward when it is called leads nowhere.

    Args:
        opened: Opens the client to call with, when the first call is made.
        private: Whether addresses inside a network, and plain http, are taken too.
    """

    def __init__(self, opened: Callable[[], httpx.AsyncClient], *, private: bool = False) -> None:
        self._opened = opened
        self._private = private

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        return self._opened()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One call; whatever goes wrong is an answer too."""
        target = httpx.URL(url)
        if not self._private and target.scheme != "https":
            return Answer(0, "not https")
        try:
            async with asyncio.timeout(SECONDS):
                address = await self._address(target)
                if address is None:
                    return Answer(0, "not a public address")
                answer = await self._client.post(
                    target.copy_with(host=address),
                    content=body,
                    headers={**headers, "host": target.netloc.decode()},
                    extensions={"sni_hostname": target.host},
                    follow_redirects=False,
                    timeout=SECONDS,
                )
        except socket.gaierror:
            return Answer(0, "unknown host")
        except (TimeoutError, httpx.TimeoutException):
            return Answer(0, "time-out")
        except httpx.HTTPError as error:
            return Answer(0, type(error).__name__)
        return Answer(answer.status_code, "", _retry_after(answer.headers.get("retry-after", "")))

    async def _address(self, target: httpx.URL) -> str | None:
        """The first address of a host; None when one of them is not public."""
        port = target.port or (443 if target.scheme == "https" else 80)
        found = await asyncio.get_running_loop().getaddrinfo(target.host, port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        if not self._private and not all(ipaddress.ip_address(one).is_global for one in addresses):
            return None
        return addresses[0]


def _retry_after(text: str) -> timedelta | None:
    """Seconds alone; dates are rare, and our own schedule is as good."""
    digits = text.isascii() and text.isdigit() and len(text) <= _MOST_SECONDS
    return timedelta(seconds=int(text)) if digits else None
