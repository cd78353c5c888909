"""The bus on Apache Kafka and on brokers that speak its protocol."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import count
from typing import TypeVar

import structlog

from shared.bus.kafka_client import KafkaSettings, bounded
from shared.bus.kafka_consumer import KafkaConsumer
from shared.bus.kafka_lookup import KafkaLookup
from shared.bus.kafka_producer import KafkaProducer
from shared.bus.model import Outgoing, Partition, Position, Record, TopicSpec
from shared.bus.partitioner import partition_of
from shared.bus.port import Bus, BusUnavailable

PROBE_SECONDS = 3.0
T = TypeVar("T")
_log = structlog.get_logger(__name__)


class KafkaBus:
    """A bus on a Kafka cluster; connects when first needed and again after every failure.

    Args:
        settings: which cluster, and how.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer: KafkaProducer | None = None
        self._lookup: KafkaLookup | None = None
        self._connecting = asyncio.Lock()
        self._turn = count()

    async def start(self) -> None:
        """Connect if the broker is there; see `Bus.start`."""
        try:
            await self._connected_producer()
        except BusUnavailable as error:
            _log.warning("bus_away_at_start", error=str(error))

    async def stop(self) -> None:
        """Close; see `Bus.stop`."""
        producer, self._producer = self._producer, None
        lookup, self._lookup = self._lookup, None
        for client in (producer, lookup):
            if client is not None:
                await client.stop()

    @property
    def idempotent(self) -> bool | None:
        """Tell whether the broker took our producer as idempotent; None while not connected."""
        return None if self._producer is None else self._producer.idempotent

    async def produce(self, records: Sequence[Outgoing]) -> list[Position]:
        """Append and await every acknowledgement; see `Bus.produce`."""
        producer = await self._connected_producer()
        try:
            return await self._append(producer, records)
        except BaseException:
            # What waits in the client's buffer would be sent behind the caller's next try: throw it away.
            await self._discard(producer)
            raise

    def consumer(self, group: str, topics: Sequence[str], instance: str) -> KafkaConsumer:
        """Make a member of a group; see `Bus.consumer`."""
        return KafkaConsumer(self._settings, group, tuple(topics), instance)

    async def read_at(self, topic: str, partition: int, offset: int) -> Record | None:
        """Read one record back; see `Bus.read_at`."""
        return await self._ask(lambda lookup: lookup.read_at(topic, partition, offset))

    async def read_many(self, places: Mapping[Partition, int]) -> dict[Partition, Record]:
        """Read one record of each partition back; see `Bus.read_many`."""
        return await self._ask(lambda lookup: lookup.read_many(places))

    async def log_range(self, topic: str, partition: int) -> tuple[int, int]:
        """Tell the kept range; see `Bus.log_range`."""
        return await self._ask(lambda lookup: lookup.range(topic, partition))

    async def ensure_topics(self, specs: Sequence[TopicSpec]) -> None:
        """Create what is missing; see `Bus.ensure_topics`."""
        await self._ask(lambda lookup: lookup.create(specs))

    async def lag(self, group: str, topics: Sequence[str]) -> dict[Partition, int]:
        """Count what a group has not committed; see `Bus.lag`."""
        return await self._ask(lambda lookup: lookup.lag(group, topics))

    async def end_offsets(self, topics: Sequence[str]) -> dict[Partition, int]:
        """Tell the next offsets; see `Bus.end_offsets`."""
        return await self._ask(lambda lookup: lookup.end_offsets(topics))

    async def healthy(self) -> bool:
        """Probe the cluster; see `Bus.healthy`."""
        try:
            async with bounded("health probe", PROBE_SECONDS):
                await self._ask(lambda lookup: lookup.answers())
        except BusUnavailable:
            return False
        return True

    async def _ask(self, question: Callable[[KafkaLookup], Awaitable[T]]) -> T:
        async with self._connecting:
            lookup = self._lookup or await self._fresh_lookup()
        lookup.asking += 1
        try:
            return await question(lookup)
        except BusUnavailable:
            if self._lookup is lookup:
                self._lookup = None
            raise
        finally:
            lookup.asking -= 1
            # A client that failed somebody is replaced, but not torn from those who still use it.
            if self._lookup is not lookup and not lookup.asking:
                await lookup.stop()

    async def _append(self, producer: KafkaProducer, records: Sequence[Outgoing]) -> list[Position]:
        counts = {topic: await producer.partitions(topic) for topic in {record.topic for record in records}}
        lanes: dict[Partition, list[int]] = defaultdict(list)
        for index, record in enumerate(records):
            lanes[(record.topic, self._choose(record, counts[record.topic]))].append(index)
        found: dict[int, Position] = {}

        async def fill(partition: Partition, indexes: list[int]) -> None:
            positions = await producer.append(partition, [records[index] for index in indexes])
            found.update(zip(indexes, positions, strict=True))

        try:
            async with asyncio.TaskGroup() as group:
                for partition, indexes in lanes.items():
                    group.create_task(fill(partition, indexes))
        except BaseExceptionGroup as failures:
            raise _worst(failures) from failures
        return [found[index] for index in range(len(records))]

    def _choose(self, record: Outgoing, partitions: int) -> int:
        if record.partition is not None:
            return record.partition
        if record.key is None:
            return next(self._turn) % partitions
        return partition_of(record.key, partitions)

    async def _connected_producer(self) -> KafkaProducer:
        async with self._connecting:
            if self._producer is None:
                self._producer = await KafkaProducer.connect(self._settings)
            return self._producer

    async def _fresh_lookup(self) -> KafkaLookup:
        former, self._lookup = self._lookup, None
        if former is not None:
            await former.stop()
        self._lookup = await KafkaLookup.connect(self._settings)
        return self._lookup

    async def _discard(self, producer: KafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
            await producer.stop()


def _worst(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """Choose the failure to report: a record that can never go before a broker that is away for now."""
    leaves = [error for error in failures.exceptions if not isinstance(error, BusUnavailable)]
    return leaves[0] if leaves else failures.exceptions[0]


_BUS: type[Bus] = KafkaBus
