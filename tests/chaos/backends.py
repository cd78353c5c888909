"""Backends of a campaign: they tell by broker and by webhook until they know that it was taken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.runtime.clock import SystemMachine
from shared.security.signatures import WebhookSecret, sign_standard
from tests.chaos.fleet import Fleet
from tests.chaos.gateway import Gateway
from tests.chaos.journal import Journal, Outcome, Posted, Produced
from tests.chaos.world import Touch

TOPIC = "afterword.touchpoints"
AGAIN_SECONDS = 0.5
REMEMBERED_SECONDS = 240.0
_machine = SystemMachine()


@dataclass(frozen=True, slots=True)
class _Told:
    touch: Touch
    at: float


class Backends:
    """All systems that tell; each touch is told again while its outcome is unknown."""

    def __init__(self, fleet: Fleet, gateway: Gateway, journal: Journal) -> None:
        self._fleet = fleet
        self._journal = journal
        self._client = gateway.client()
        self._secret = WebhookSecret.standard(fleet.secrets["webhook_secret"])
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()
        self._acked: dict[str, _Told] = {}
        self.told = 0

    async def tell(self, touch: Touch) -> None:
        """Tell one thing until somebody said that it is kept."""
        once = self._call if touch.transport == "webhook" else self._produce
        await _until_known(lambda: once(touch))
        self.told += 1

    async def tell_lost(self) -> int:
        """After a loss of the broker's data, tell again what it had taken in the last minutes."""
        horizon = _machine.monotonic() - REMEMBERED_SECONDS
        again = [one.touch for one in self._acked.values() if one.at >= horizon]
        for start in range(0, len(again), 50):
            async with asyncio.TaskGroup() as tasks:
                for touch in again[start : start + 50]:
                    tasks.create_task(_until_known(partial(self._produce, touch)))
        return len(again)

    async def close(self) -> None:
        """Leave the broker."""
        await self._drop(self._producer)
        await self._client.aclose()

    async def _produce(self, touch: Touch) -> Outcome:
        deed = Produced(
            touch.id, touch.source, touch.type, touch.key, touch.digest, touch.poison, self._fleet.births
        )
        op = self._journal.sent(deed)
        producer: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(15):
                producer = await self._connected()
                ack = await producer.send_and_wait(
                    TOPIC, touch.body, key=touch.key.encode(), headers=touch.headers
                )
        except (KafkaError, OSError) as error:
            self._journal.ended(op, Outcome.UNKNOWN, detail=type(error).__name__)
            await self._drop(producer)
            return Outcome.UNKNOWN
        self._journal.ended(op, Outcome.OK, partition=ack.partition, offset=ack.offset)
        self._remember(touch)
        return Outcome.OK

    def _remember(self, touch: Touch) -> None:
        """Keep it once, by when it was last taken: what is told again may be lost again."""
        now = _machine.monotonic()
        self._acked.pop(touch.id, None)
        self._acked[touch.id] = _Told(touch, now)
        while self._acked[oldest := next(iter(self._acked))].at < now - REMEMBERED_SECONDS:
            del self._acked[oldest]

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._producer is None:
                port = (
                    self._fleet.links.ports["broker"] if self._fleet.broker.keeps else self._fleet.broker.port
                )
                producer = AIOKafkaProducer(
                    bootstrap_servers=f"127.0.0.1:{port}",
                    acks="all",
                    request_timeout_ms=5_000,
                    metadata_max_age_ms=5_000,
                )
                try:
                    await producer.start()
                except BaseException:
                    with suppress(KafkaError, OSError):
                        await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _drop(self, producer: Any) -> None:
        """Give a connection up; the next one begins anew."""
        if producer is None:
            return
        if producer is self._producer:
            self._producer = None
        with suppress(KafkaError, OSError, asyncio.CancelledError):
            async with asyncio.timeout(5):
                await producer.stop()

    async def _call(self, touch: Touch) -> Outcome:
        op = self._journal.sent(Posted(touch.id, touch.source, touch.type, touch.key, touch.digest))
        body = touch.webhook
        headers = sign_standard(touch.id, _machine.wall(), body, self._secret)
        try:
            answer = await self._client.post("/webhooks/generic", content=body, headers=headers)
        except httpx.HTTPError as error:
            self._journal.ended(op, Outcome.UNKNOWN, detail=type(error).__name__)
            return Outcome.UNKNOWN
        outcome = outcome_of(answer.status_code)
        self._journal.ended(op, outcome, status=answer.status_code)
        return outcome


def outcome_of(status: int) -> Outcome:
    """What a status tells for certain; a 5xx may come from a commit whose answer was lost."""
    if status < httpx.codes.BAD_REQUEST:
        return Outcome.OK
    return Outcome.FAIL if status < httpx.codes.INTERNAL_SERVER_ERROR else Outcome.UNKNOWN


async def _until_known(once: Callable[[], Awaitable[Outcome]]) -> None:
    while await once() is Outcome.UNKNOWN:  # noqa: ASYNC110 - tries again, and does not poll
        await asyncio.sleep(AGAIN_SECONDS)
