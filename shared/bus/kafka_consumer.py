"""A consumer group member on Kafka that reconnects by itself and commits nothing fetched before a rejoin."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from shared.bus.kafka_client import KafkaSettings, bounded, stop_bounded
from shared.bus.model import CommitOutcome, Partition, Record
from shared.bus.port import BusConsumer, BusUnavailable

FETCH_WAIT_MS = 100
"""How long a broker may hold an empty fetch. Measured on the embedded broker: with the 500 ms of aiokafka a
record waits 100 ms for its reader, with 100 ms it waits 2 ms."""
REBALANCE_SECONDS = 60.0
_MARGIN_SECONDS = 0.05
_log = structlog.get_logger(__name__)


class KafkaConsumer:
    """A member of a group with a static instance id; see `BusConsumer`."""

    def __init__(self, settings: KafkaSettings, group: str, topics: tuple[str, ...], instance: str) -> None:
        self._settings = settings
        self._group = group
        self._topics = topics
        self._instance = instance
        self._client: AIOKafkaConsumer | None = None
        self._listener = _Listener(group, instance, settings.drain_seconds)
        self._missed: frozenset[str] = frozenset()

    @property
    def generation(self) -> int:
        """Count the assignments received; see `BusConsumer.generation`."""
        return self._listener.generation

    async def start(self) -> None:
        """Connect and begin to join; see `BusConsumer.start`."""
        if self._client is not None:
            return
        client = self._make()
        try:
            async with bounded(f"consumer {self._group} connects", self._settings.request_seconds):
                await client.start()
        except BusUnavailable:
            await self._close(client)
            raise
        # Subscribing after start leaves the join to the background: it takes seconds on some brokers.
        client.subscribe(list(self._topics), listener=self._listener)
        self._client, self._missed = client, frozenset()

    async def stop(self) -> None:
        """Leave the group; see `BusConsumer.stop`."""
        client, self._client = self._client, None
        self._listener.forget()
        if client is not None:
            await self._close(client)

    async def getmany(self, max_records: int, timeout_seconds: float) -> list[Record]:
        """Hand out what is there; see `BusConsumer.getmany`."""
        self._listener.settle()
        await self.start()
        self._join_again_when_left_out(self._started())
        try:
            fetched = await self._fetch(self._started(), max_records, timeout_seconds)
        except BusUnavailable:
            # A failed coordinator never recovers inside aiokafka and looks alive: begin anew next time.
            await self.stop()
            raise
        # Nothing ran since the client took these records from its buffer, and it gives none in mid-rejoin.
        return self._listener.hand_out([to_record(raw) for raws in fetched.values() for raw in raws])

    async def commit(self, offsets: Mapping[Partition, int]) -> CommitOutcome:
        """Commit what was handed out in this generation; see `BusConsumer.commit`."""
        if self._client is None or not self._listener.owns(offsets):
            return CommitOutcome.LOST_ASSIGNMENT
        native = {TopicPartition(*partition): offset for partition, offset in offsets.items()}
        try:
            async with bounded(f"consumer {self._group} commits", self._settings.request_seconds):
                return await self._commit(self._client, native)
        finally:
            self._listener.settle()

    def assignment(self) -> frozenset[Partition]:
        """Name the partitions of this member."""
        return self._listener.assigned

    async def positions(self) -> dict[Partition, int]:
        """Tell the next offset per assigned partition."""
        client = self._started()
        async with bounded(f"consumer {self._group} tells positions", self._settings.request_seconds):
            return {(tp.topic, tp.partition): await client.position(tp) for tp in client.assignment()}

    async def seek_to_beginning(self) -> None:
        """Read everything again, nothing handed out so far can be committed any more; see the port."""
        client = self._started()
        if not client.assignment():
            raise BusUnavailable(f"consumer {self._group} has nothing to rewind")
        async with bounded(f"consumer {self._group} rewinds", self._settings.request_seconds):
            await client.seek_to_beginning()
        self._listener.forget_handed()

    def _join_again_when_left_out(self, client: AIOKafkaConsumer) -> None:
        """Ask once more for partitions of a topic that is there and of which this member has none.

        A static member that begins anew is given what its group had agreed on. When that was before a topic
        was made, as after the loss of a broker's data, and the member had been the group's leader, nobody
        would ever share the topic out: it does not know that it still leads (KIP-814 ends this for Kafka's
        own client). The broker knows, and lets the group meet again when its leader asks; whoever else asks
        is given what it has. Once for each topic and connection: of many members some have no partition.
        """
        if not self._listener.generation or len(self._listener.topics) == len(self._topics):
            return
        without = (topic for topic in self._topics if topic not in self._listener.topics)
        missed = frozenset(topic for topic in without if client.partitions_for_topic(topic))
        if missed - self._missed:
            self._missed |= missed
            client.subscribe(list(self._topics), listener=self._listener)

    async def _fetch(
        self, client: AIOKafkaConsumer, max_records: int, seconds: float
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Fetch within the time; aiokafka alone would wait without limit for an assignment."""
        fetched: dict[TopicPartition, list[ConsumerRecord]] = {}
        async with bounded(f"consumer {self._group} reads", self._settings.request_seconds + seconds):
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds + _MARGIN_SECONDS):
                    fetched = await client.getmany(timeout_ms=int(seconds * 1000), max_records=max_records)
        return fetched

    async def _commit(self, client: AIOKafkaConsumer, native: dict[TopicPartition, int]) -> CommitOutcome:
        try:
            await client.commit(native)
        except (CommitFailedError, IllegalStateError) as error:
            _log.info("bus_assignment_lost", group=self._group, instance=self._instance, error=repr(error))
            return CommitOutcome.LOST_ASSIGNMENT
        return CommitOutcome.COMMITTED

    def _make(self) -> AIOKafkaConsumer:
        session_ms = int(self._settings.session_seconds * 1000)
        return AIOKafkaConsumer(
            **self._settings.connection(),
            group_id=self._group,
            group_instance_id=f"{self._group}-{self._instance}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // 3,
            rebalance_timeout_ms=int(REBALANCE_SECONDS * 1000),
            max_partition_fetch_bytes=4 << 20,
            fetch_max_wait_ms=FETCH_WAIT_MS,
        )

    def _started(self) -> AIOKafkaConsumer:
        if self._client is None:
            raise BusUnavailable(f"consumer {self._group} is not connected")
        return self._client

    async def _close(self, client: AIOKafkaConsumer) -> None:
        # aiokafka has no public way to close the sockets of a client whose stop was torn.
        close_sockets = client._client.close  # noqa: SLF001 - see above
        await stop_bounded(f"consumer {self._group}", client.stop, close_sockets)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """Follows the assignment, and knows what was handed out under it.

    A revocation waits for the batch in hand to be committed, so that its records need not be handled twice.
    It shares no lock with the reading side: that would deadlock.
    """

    def __init__(self, group: str, instance: str, drain_seconds: float) -> None:
        self._name = {"group": group, "instance": instance}
        self._drain_seconds = drain_seconds
        self.generation = 0
        self.assigned: frozenset[Partition] = frozenset()
        self.topics: frozenset[str] = frozenset()
        self._handed: dict[Partition, int] = {}
        self._settled = asyncio.Event()
        self._settled.set()

    def hand_out(self, records: list[Record]) -> list[Record]:
        """Remember how far each partition was handed out."""
        for record in records:
            self._handed[(record.topic, record.partition)] = record.offset + 1
        if records:
            self._settled.clear()
        return records

    def owns(self, offsets: Mapping[Partition, int]) -> bool:
        """Tell whether all of this was handed out under the present assignment."""
        return all(offset <= self._handed.get(partition, -1) for partition, offset in offsets.items())

    def settle(self) -> None:
        """Note that the batch in hand is done with, committed or given up."""
        self._settled.set()

    def forget_handed(self) -> None:
        """Let nothing that was handed out so far be committed."""
        self._handed.clear()

    def forget(self) -> None:
        """Drop the assignment, as when the connection is given up."""
        self.assigned = frozenset()
        self._handed.clear()
        self._settled.set()

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Wait for the batch in hand, then let go."""
        try:
            async with asyncio.timeout(self._drain_seconds):
                await self._settled.wait()
        except TimeoutError:
            _log.warning("bus_revoked_in_mid_batch", partitions=len(revoked), **self._name)
        self.forget()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Begin a new generation."""
        self.generation += 1
        self.assigned = frozenset((tp.topic, tp.partition) for tp in assigned)
        self.topics = frozenset(tp.topic for tp in assigned)
        _log.info("bus_assigned", generation=self.generation, partitions=len(assigned), **self._name)


def to_record(raw: ConsumerRecord) -> Record:
    """Take over a record of the client's."""
    return Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, tuple(raw.headers), raw.timestamp)


_CONSUMER: type[BusConsumer] = KafkaConsumer
