"""What a look-up connector promises, and what all of them share: pace, and failures in one word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import httpx

from services.trigger.domain.reports import Gap
from shared.contracts.touchpoints import TouchpointAccount, TouchpointContact
from shared.errors import SendError
from shared.runtime.clock import Machine

SECONDS = 10.0
LONGEST_HOLD = timedelta(hours=1)
LONGEST_TURN = 2.0
"""Seconds that a request waits for its turn."""
_NOT_FOUND = 404
_TOO_MANY = 429
_SERVER = 500


@dataclass(frozen=True, slots=True)
class Found:
    """Who was missing, as the partner knows them."""

    contact: TouchpointContact
    account: TouchpointAccount | None = None


class Connector(Protocol):
    """A partner that can be asked."""

    async def find(self, gaps: Sequence[Gap]) -> Mapping[Gap, Found]:
        """Look up many at once; whoever the partner does not know is left out.

        Raises:
            SendError: refused for good (credentials), or failed and may be tried again.
        """


class Pace:
    """At most so many requests a second on average, and none before a partner's wish is over.

    Args:
        machine: Its clock is waited by.
        per_second: Requests, on average.
        burst: Requests that may come at once after a rest.
    """

    def __init__(self, machine: Machine, per_second: float, burst: int = 5) -> None:
        self._machine = machine
        self._gap = 1.0 / per_second
        self._burst = burst
        self._next = machine.monotonic() - burst * self._gap

    async def turn(self) -> None:
        """Wait until the next request may go.

        Raises:
            SendError: That is longer than somebody who wants to stop should wait.
        """
        now = self._machine.monotonic()
        turn = max(self._next, now - self._burst * self._gap) + self._gap
        if turn - now > LONGEST_TURN:
            wait = timedelta(seconds=turn - now)
            raise SendError("look-up: the partner asked to wait", permanent=False, retry_after=wait)
        self._next = turn
        if turn > now:
            await self._machine.sleep(turn - now)

    def hold(self, wait: timedelta) -> None:
        """Let nothing go for a while, as the partner asked."""
        self._next = max(self._next, self._machine.monotonic() + min(wait, LONGEST_HOLD).total_seconds())


class Api:
    """One partner's API: paced, JSON in and out, failures as SendError."""

    def __init__(self, client: httpx.AsyncClient, pace: Pace) -> None:
        self._client = client
        self._pace = pace

    async def ask(
        self, method: str, path: str, body: object = None, *, unknown: bool = False
    ) -> dict[str, Any]:
        """Make one request; with `unknown` a 404 says that the partner does not know it, and gives nothing.

        Raises:
            SendError: 4xx for good; 429, 5xx, silence and a wait that the partner asked for: later.
        """
        await self._pace.turn()
        try:
            answer = await self._client.request(method, path, json=body, timeout=SECONDS)
        except httpx.HTTPError as error:
            raise SendError(f"look-up: {type(error).__name__}", permanent=False) from error
        if unknown and answer.status_code == _NOT_FOUND:
            return {}
        later = answer.status_code == _TOO_MANY or answer.status_code >= _SERVER
        if not answer.is_success:
            wait = _wish(answer) if later else None
            if wait:
                self._pace.hold(wait)
            raise SendError(f"look-up: HTTP {answer.status_code}", permanent=not later, retry_after=wait)
        try:
            found = answer.json()
        except ValueError as error:
            raise SendError("look-up: the answer is no JSON", permanent=False) from error
        if not isinstance(found, dict):
            raise SendError("look-up: the answer is no JSON object", permanent=False)
        return found


def text(found: Mapping[str, Any], name: str) -> str:
    """A field of an answer as text; "" without one."""
    value = found.get(name)
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def entries(found: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects of a list in an answer."""
    value = found.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _wish(answer: httpx.Response) -> timedelta | None:
    given = answer.headers.get("retry-after", "")
    return timedelta(seconds=int(given)) if given.isdigit() else None
