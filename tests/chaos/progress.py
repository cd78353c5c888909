"""Proof of progress: an event goes the whole way through every partition and service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count

from aiokafka import AIOKafkaProducer

from services.trigger.domain.model import account_id
from shared.bus.partitioner import partition_of
from shared.runtime.clock import Machine
from tests.chaos.backends import TOPIC
from tests.chaos.calendar import Calendar
from tests.chaos.direct import TROUBLES, patiently
from tests.chaos.fleet import Fleet
from tests.chaos.journal import Journal, Outcome, Probed, Produced
from tests.chaos.world import Touch

READERS = ("dispatch", "collector", "scoring", "alerts")
"""All of them read the directory, in which trigger announces a contact that it learnt of."""
PARTITIONS = 4
PATIENCE_SECONDS = 150.0
LOOK_SECONDS = 0.15
TOLD_LATE = timedelta(days=1)
"""A service that has not seen the last step of business time yet leaves alone what comes from the future."""
_ANNOUNCED = """
select distinct o.event_id from trigger.outbox o
where id > $1 and topic = 'afterword.directory' and key = any($2::bytea[])
"""
_HEARD = " union all ".join(
    f"select count(distinct event_id) from {reader}.inbox where event_id = any($1)" for reader in READERS
)


class Stuck(Exception):
    """No progress within two and a half minutes after a fault was over."""


@dataclass(slots=True)
class Probe:
    """Sends one event through each partition and waits until all services have heard of it."""

    fleet: Fleet
    calendar: Calendar
    journal: Journal
    machine: Machine
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def progress(self, *, from_ack: bool = False) -> float:
        """Machine seconds until everything moved on.

        Args:
            from_ack: count from the moment when the broker takes records again, not from now: a broker that
                listens after a crash is not back yet.

        Raises:
            Stuck: it did not.
        """
        begun = self.machine.monotonic()
        number = next(self._numbers)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                acked = await self._whole_way(number)
        except TimeoutError as error:
            raise Stuck from error
        self.journal.noted(Probed("progress", value=number))
        return self.machine.monotonic() - (acked if from_ack else begun)

    async def _whole_way(self, number: int) -> float:
        """Send, and wait until all have heard; gives when the broker had it."""
        touches = [self._touch(number, partition) for partition in range(PARTITIONS)]
        keys = [str(account_id(touch.key)).encode() for touch in touches]
        newest = await patiently(self._newest)
        births, acked = 0, 0.0
        while True:
            if births != self.fleet.births:  # what the broker had is lost: a careful backend tells it again
                births = self.fleet.births
                await patiently(partial(self._send, touches))
                acked = acked or self.machine.monotonic()
            if await patiently(lambda: self._arrived(newest, keys)):
                return acked
            await asyncio.sleep(LOOK_SECONDS)

    async def _send(self, touches: list[Touch]) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.fleet.broker.direct, acks="all", request_timeout_ms=3_000
        )
        try:
            async with asyncio.timeout(10):
                await producer.start()
                for touch in touches:
                    op = self.journal.sent(
                        Produced(touch.id, touch.source, touch.type, touch.key, touch.digest)
                    )
                    ack = await producer.send_and_wait(
                        TOPIC, touch.body, key=touch.key.encode(), headers=touch.headers
                    )
                    self.journal.ended(op, Outcome.OK, partition=ack.partition, birth=self.fleet.births)
        finally:
            with suppress(*TROUBLES, asyncio.CancelledError):
                await producer.stop()

    async def _newest(self) -> int:
        return int(await self.fleet.direct.value("select coalesce(max(id), 0) from trigger.outbox"))

    async def _arrived(self, newest: int, keys: list[bytes]) -> bool:
        ids = [row[0] for row in await self.fleet.direct.fetch(_ANNOUNCED, newest, keys)]
        if len(ids) < PARTITIONS:
            return False
        return all(row[0] == len(ids) for row in await self.fleet.direct.fetch(_HEARD, ids))

    def _touch(self, number: int, partition: int) -> Touch:
        key = next(
            name for salt in count() if _lands(name := f"probe-{number}-{partition}-{salt}", partition)
        )
        data = {
            "occurred_at": (self.calendar.now() - TOLD_LATE).isoformat(),
            "account": {"id": key, "name": "Probe"},
            "contact": {"id": f"c-{key}", "name": "Probe", "email": f"probe@{key}.example"},
        }
        return Touch(number, "kafka", key, "/probe", "contact.updated", key, json.dumps(data).encode())


def _lands(account: str, partition: int) -> bool:
    """Whether an account's touches and all that we announce of it go through a partition."""
    keys = (account, str(account_id(account)))
    return all(partition_of(key.encode(), PARTITIONS) == partition for key in keys)
