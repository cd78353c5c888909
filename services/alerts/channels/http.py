"""How notices are posted to partners: encrypted, bounded in time and size, failures as SendError."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from shared.errors import SendError
from shared.partners.wire import checked, wish
from shared.runtime.clock import Machine
from shared.runtime.trust import authorities

SECONDS = 10.0
MOST_BYTES = 64 * 1024
"""How much of an answer is read; partners say what matters in a few lines."""
_LATER = frozenset({408, 425, 429})
_SERVER = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What a partner answered to a request that it took."""

    status: int
    body: bytes

    @property
    def is_page(self) -> bool:
        """A web page, as a sign-in in between answers. Its type says nothing: Slack's "ok" is HTML."""
        return self.body.lstrip()[:1] == b"<"

    def object(self) -> dict[str, Any]:
        """The JSON object of the answer; empty when it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:  # UnicodeDecodeError is one
            return {}
        return found if isinstance(found, dict) else {}


class Poster:
    """Posts to one address of a partner; the address may be a secret and is never logged.

    Args:
        url: https (http is taken for this machine alone).
        machine: Its wall clock reads a Retry-After that is a date.
        seconds: How long one post may take in all, however slowly the partner drips its answer.

    Raises:
        ValueError: the address is not one that may be posted to.
    """

    def __init__(
        self, url: str, client: httpx.AsyncClient, machine: Machine, seconds: float = SECONDS
    ) -> None:
        self._url = checked(url)
        self._client = client
        self._machine = machine
        self._seconds = seconds

    async def post(self, content: bytes, headers: Mapping[str, str]) -> Answer:
        """Post; returns what a partner that took it answered.

        Raises:
            SendError: refused (4xx and redirects: for good, 408, 425 and 429: later), failed (5xx), or no
                answer in time, after which nobody knows.
        """
        try:
            async with asyncio.timeout(self._seconds):
                return await self._exchange(content, headers)
        except httpx.ConnectError as error:
            raise SendError("not reachable", permanent=False) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SendError(f"no answer: {type(error).__name__}", permanent=False, uncertain=True) from error
        except TimeoutError as error:
            raise SendError("no answer in time", permanent=False, uncertain=True) from error

    async def _exchange(self, content: bytes, headers: Mapping[str, str]) -> Answer:
        request = self._client.build_request("POST", self._url, content=content, headers=headers)
        answer = await self._client.send(request, stream=True, follow_redirects=False)
        try:
            body = await _read(answer)
        finally:
            await answer.aclose()
        if answer.is_success:
            return Answer(answer.status_code, body)
        later = answer.status_code in _LATER or answer.status_code >= _SERVER
        raise SendError(
            f"HTTP {answer.status_code}",
            permanent=not later,
            retry_after=wish(answer.headers.get("retry-after", ""), self._machine.wall()) if later else None,
        )


async def _read(answer: httpx.Response) -> bytes:
    """The beginning of the answer, whatever its length."""
    body = b""
    async for part in answer.aiter_bytes():
        body += part
        if len(body) >= MOST_BYTES:
            break
    return body[:MOST_BYTES]


def odd() -> SendError:
    """The failure of an answer that says yes and is not the partner's: a portal, a proxy, a wrong address."""
    return SendError("the answer is not the partner's", permanent=False, uncertain=True)


def client() -> httpx.AsyncClient:
    """Connections that notices are posted through; they heed no proxy settings and follow nowhere."""
    return httpx.AsyncClient(verify=authorities(), trust_env=False, follow_redirects=False, timeout=SECONDS)


JSON = {"content-type": "application/json; charset=utf-8"}
