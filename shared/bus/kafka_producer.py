"""The producing connection: idempotent where the broker can, one batch of a partition in flight at a time."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    IncompatibleBrokerVersion,
    UnknownError,
    UnsupportedVersionError,
)

from shared.bus.kafka_client import KafkaSettings, bounded, stop_bounded
from shared.bus.model import MAX_RECORD_BYTES, Outgoing, Partition, Position
from shared.bus.port import BusUnavailable, RecordTooLarge

_BATCH_BYTES = 1_040_000  # the broker's default limit is 1,048,588

_NO_IDEMPOTENCE = (
    ClusterAuthorizationFailedError,
    IncompatibleBrokerVersion,
    UnknownError,
    UnsupportedVersionError,
)
_log = structlog.get_logger(__name__)


class KafkaProducer:
    """A connected producer; discarded after its first failure, because its buffer outlives the call."""

    def __init__(self, settings: KafkaSettings, client: AIOKafkaProducer, *, idempotent: bool) -> None:
        self._settings = settings
        self._client = client
        self.idempotent = idempotent

    @classmethod
    async def connect(cls, settings: KafkaSettings) -> KafkaProducer:
        """Connect, asking for idempotence unless it was switched off.

        Raises:
            BusUnavailable: the broker is away, or it refuses the idempotence that was demanded.
        """
        async with bounded("producer connects", settings.request_seconds):
            if settings.idempotence is not False:
                try:
                    return cls(settings, await _start(settings, idempotent=True), idempotent=True)
                except _NO_IDEMPOTENCE as error:
                    if settings.idempotence:
                        raise
                    _log.info("bus_without_idempotence", error=repr(error))
            return cls(settings, await _start(settings, idempotent=False), idempotent=False)

    async def partitions(self, topic: str) -> int:
        """Count the partitions of a topic."""
        async with bounded(f"producer looks for {topic}", self._settings.request_seconds):
            return len(await self._client.partitions_for(topic))

    async def append(self, partition: Partition, records: Sequence[Outgoing]) -> list[Position]:
        """Append to one partition; a batch is sent when its predecessor is acknowledged."""
        if any(record.size() > MAX_RECORD_BYTES for record in records):
            raise RecordTooLarge(f"a record for {partition[0]} is larger than {MAX_RECORD_BYTES} bytes")
        positions: list[Position] = []
        while len(positions) < len(records):
            batch = self._client.create_batch()
            stamps: list[int] = []
            for record in records[len(positions) :]:
                added = batch.append(
                    timestamp=None, key=record.key, value=record.value, headers=list(record.headers)
                )
                if added is None:
                    break
                stamps.append(added.timestamp)
            batch.close()
            async with bounded(f"producer appends to {partition}", 2 * self._settings.request_seconds):
                acked = await (await self._client.send_batch(batch, partition[0], partition=partition[1]))
            if acked.offset < 0:
                raise BusUnavailable(f"{partition} acknowledged without an offset")
            positions.extend(Position(*partition, acked.offset + i, stamp) for i, stamp in enumerate(stamps))
        return positions

    async def stop(self) -> None:
        """Close within a few seconds; never raises."""
        await stop_bounded("producer", self._client.stop, self._client.client.close)


async def _start(settings: KafkaSettings, *, idempotent: bool) -> AIOKafkaProducer:
    client = AIOKafkaProducer(
        **settings.connection() | {"request_timeout_ms": int(settings.produce_seconds * 1000)},
        acks="all",
        enable_idempotence=idempotent,
        max_batch_size=_BATCH_BYTES,
        compression_type=None,
    )
    try:
        await client.start()
    except BaseException:
        # A client that failed to start holds sockets all the same.
        await stop_bounded("producer", client.stop, client.client.close)
        raise
    return client
