"""A lane of a shared Apache Kafka: topics and groups of one test, taken away at its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from shared.bus.kafka import KafkaBus
from shared.bus.model import CommitOutcome, Outgoing, Partition, Position, Record, TopicSpec
from shared.bus.port import Bus, BusConsumer
from shared.runtime.ids import random_id
from tests.support.logs import KafkaLog, Log, kafka_under_test, quick


@dataclass(frozen=True, slots=True)
class LaneConsumer:
    """A consumer that sees its lane's topics by their plain names."""

    inner: BusConsumer
    lane: str

    @property
    def generation(self) -> int:
        return self.inner.generation

    async def start(self) -> None:
        await self.inner.start()

    async def stop(self) -> None:
        await self.inner.stop()

    async def getmany(self, max_records: int, timeout_seconds: float) -> list[Record]:
        records = await self.inner.getmany(max_records, timeout_seconds)
        return [record._replace(topic=_plain(self.lane, record.topic)) for record in records]

    async def commit(self, offsets: Mapping[Partition, int]) -> CommitOutcome:
        return await self.inner.commit({(self.lane + topic, n): at for (topic, n), at in offsets.items()})

    def assignment(self) -> frozenset[Partition]:
        return frozenset((_plain(self.lane, topic), n) for topic, n in self.inner.assignment())

    async def positions(self) -> dict[Partition, int]:
        return {
            (_plain(self.lane, topic), n): at for (topic, n), at in (await self.inner.positions()).items()
        }

    async def seek_to_beginning(self) -> None:
        await self.inner.seek_to_beginning()


@dataclass(frozen=True, slots=True)
class LaneBus:
    """A bus on which all names of topics and groups begin with the lane's."""

    inner: Bus
    lane: str

    async def start(self) -> None:
        await self.inner.start()

    async def stop(self) -> None:
        await self.inner.stop()

    async def produce(self, records: Sequence[Outgoing]) -> list[Position]:
        placed = await self.inner.produce([replace(one, topic=self.lane + one.topic) for one in records])
        return [replace(position, topic=_plain(self.lane, position.topic)) for position in placed]

    def consumer(self, group: str, topics: Sequence[str], instance: str) -> LaneConsumer:
        named = [self.lane + topic for topic in topics]
        return LaneConsumer(self.inner.consumer(self.lane + group, named, instance), self.lane)

    async def read_at(self, topic: str, partition: int, offset: int) -> Record | None:
        record = await self.inner.read_at(self.lane + topic, partition, offset)
        return record._replace(topic=topic) if record else None

    async def read_many(self, places: Mapping[Partition, int]) -> dict[Partition, Record]:
        asked = {(self.lane + topic, n): at for (topic, n), at in places.items()}
        found = (await self.inner.read_many(asked)).values()
        plain = [record._replace(topic=_plain(self.lane, record.topic)) for record in found]
        return {(record.topic, record.partition): record for record in plain}

    async def log_range(self, topic: str, partition: int) -> tuple[int, int]:
        return await self.inner.log_range(self.lane + topic, partition)

    async def ensure_topics(self, specs: Sequence[TopicSpec]) -> None:
        await self.inner.ensure_topics([replace(spec, name=self.lane + spec.name) for spec in specs])

    async def lag(self, group: str, topics: Sequence[str]) -> dict[Partition, int]:
        found = await self.inner.lag(self.lane + group, [self.lane + topic for topic in topics])
        return {(_plain(self.lane, topic), n): lag for (topic, n), lag in found.items()}

    async def end_offsets(self, topics: Sequence[str]) -> dict[Partition, int]:
        found = await self.inner.end_offsets([self.lane + topic for topic in topics])
        return {(_plain(self.lane, topic), n): at for (topic, n), at in found.items()}

    async def healthy(self) -> bool:
        return await self.inner.healthy()


class Lane:
    """A log: one lane of the Kafka under test, with the faults of the whole broker.

    Its producers are idempotent, after every restart again, or they do not connect.
    """

    forgets: bool = False

    def __init__(self, kafka: KafkaLog) -> None:
        self._kafka = kafka
        self._lane = f"{random_id().hex[:10]}."

    def bus(self) -> LaneBus:
        return LaneBus(KafkaBus(replace(quick(self._kafka.bootstrap), idempotence=True)), self._lane)

    async def down(self) -> None:
        await self._kafka.down()

    async def up(self) -> None:
        await self._kafka.up()

    async def lose(self) -> None:
        await self._kafka.lose()

    async def clear(self) -> None:
        """Delete the lane's topics."""
        await self.up()
        admin = AIOKafkaAdminClient(bootstrap_servers=self._kafka.bootstrap)
        await admin.start()
        try:
            ours = [topic for topic in await admin.list_topics() if topic.startswith(self._lane)]
            await admin.delete_topics(ours)
        finally:
            await admin.close()


@asynccontextmanager
async def a_log(kind: str) -> AsyncIterator[Log | None]:
    """None for the log in memory, else a lane on the Kafka under test; the test is skipped without one."""
    if kind == "memory":
        yield None
        return
    kafka = kafka_under_test()
    if kafka is None:
        pytest.skip("needs Apache Kafka (make test-kafka)")
    lane = Lane(kafka)
    try:
        yield lane
    finally:
        await lane.clear()


def _plain(lane: str, topic: str) -> str:
    return topic.removeprefix(lane)


_BUS: type[Bus] = LaneBus
_CONSUMER: type[BusConsumer] = LaneConsumer
