"""The load balancer of a fleet, on the client's side: instances that say they are ready take turns.

It tries nothing twice: whoever asks gets what the chosen instance said, also that it hung up.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import count

import httpx
from typing_extensions import override

from tests.chaos.fleet import PUBLIC_URL, Fleet
from tests.chaos.instances import Instance

LOOK_SECONDS = 1.0
PATHS = {
    "/webhooks/": "trigger",
    "/v1/decisions": "trigger",
    "/u/": "dispatch",
    "/s/": "collector",
    "/v1/responses": "collector",
    "/scores": "scoring",
    "/v1/scores": "scoring",
    "/inbox": "alerts",
    "/tickets": "alerts",
    "/v1/tickets": "alerts",
}
"""Which service a path belongs to, as in `deploy/gateway/Caddyfile`."""


class NoneReady(httpx.ConnectError):
    """No instance of the service says that it is ready."""


class Gateway(httpx.AsyncBaseTransport):
    """Sends each request to one of the service's ready instances."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=40, keepalive_expiry=2.0)
        self._inner = httpx.AsyncHTTPTransport(verify=False, limits=limits)
        self._ready: set[str] = set()
        self._turns: Iterator[int] = count()
        self.failures: Counter[str] = Counter()
        self.requests = 0
        self.early = 0

    def client(self, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
        """A client whose requests all go through here; closing it leaves the gateway open."""
        return httpx.AsyncClient(transport=_Shared(self), base_url=PUBLIC_URL, timeout=15, headers=headers)

    async def watch(self) -> None:
        """Follow the readiness of all instances until cancelled; none waits for another."""
        async with httpx.AsyncClient(verify=False) as client, asyncio.TaskGroup() as tasks:  # noqa: S501 - loopback without TLS
            for one in self._fleet.instances:
                tasks.create_task(self._follow(one, client))

    async def _follow(self, one: Instance, client: httpx.AsyncClient) -> None:
        while True:
            if await one.ready(client):
                self._ready.add(one.label)
            else:
                self._ready.discard(one.label)
            await asyncio.sleep(LOOK_SECONDS)

    def ready(self, service: str) -> list[Instance]:
        """The instances of a service that take requests."""
        return [one for one in self._fleet.of(service) if one.label in self._ready]

    async def go_by(self, service: str, at: datetime) -> bool:
        """Whether some instances take requests, and all of them go by a business time as late as this one.

        A process whose database was away for a moment stands where time stood then.
        """
        try:
            ready = self.ready(service)
            for one in ready:
                request = httpx.Request("GET", f"{one.url}/livez")
                answer = await self._inner.handle_async_request(request)
                told = json.loads(await answer.aread())
                if datetime.fromisoformat(told["business_time"]) < at:
                    return False
        except httpx.TransportError:
            return False
        return bool(ready)

    @property
    def whole(self) -> bool:
        """Whether every instance takes requests."""
        return len(self._ready) == len(self._fleet.instances)

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        service = next(name for path, name in PATHS.items() if request.url.path.startswith(path))
        instances = self.ready(service)
        self.requests += 1
        if not instances:
            self.failures[f"{service}: none ready"] += 1
            raise NoneReady(service)
        chosen = instances[next(self._turns) % len(instances)]
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=chosen.port)
        try:
            answer = await self._inner.handle_async_request(request)
        except httpx.TransportError as error:
            self._ready.discard(chosen.label)
            self.failures[f"{service}: {type(error).__name__}"] += 1
            raise
        if _comes_back(request, answer):
            self.early += 1
        elif answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            self.failures[f"{service}: {answer.status_code}"] += 1
        return answer

    @override
    async def aclose(self) -> None:
        await self._inner.aclose()


def _comes_back(request: httpx.Request, answer: httpx.Response) -> bool:
    """Whether a link was faster than its survey: a page that opens it by itself a few seconds later."""
    waits = answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and "retry-after" in answer.headers
    return waits and request.method in {"GET", "HEAD"}


class _Shared(httpx.AsyncBaseTransport):
    """A gateway that outlives its clients."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._gateway.handle_async_request(request)
