"""Looking at a cluster from outside every group: topics, offsets, lag, single records."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import NoError, TopicAlreadyExistsError, for_code

from shared.bus.kafka_client import KafkaSettings, bounded, stop_bounded
from shared.bus.kafka_consumer import to_record
from shared.bus.model import Partition, Record, TopicSpec

_FETCH_SLICE_MS = 250
_HEARSAY_SECONDS = 0.05

# Tansu 0.6 lists as a partition's end the offset after the first record of its last batch (what it tells with
# fetched records is right), and invents a topic of four partitions when a client merely asks about it.
_CARELESS_CLUSTERS = frozenset({"tansu_cluster"})
_log = structlog.get_logger(__name__)


class KafkaLookup:
    """An admin client and a consumer without a group; calls take turns on the latter."""

    def __init__(self, settings: KafkaSettings, admin: AIOKafkaAdminClient, reader: AIOKafkaConsumer) -> None:
        self._settings = settings
        self._admin = admin
        self._reader = reader
        self._turn = asyncio.Lock()
        self._careless = False
        self.asking = 0
        """Calls under way."""

    @classmethod
    async def connect(cls, settings: KafkaSettings) -> KafkaLookup:
        """Connect both clients.

        Raises:
            BusUnavailable: the broker is away.
        """
        lookup = cls(
            settings,
            AIOKafkaAdminClient(**settings.connection()),
            AIOKafkaConsumer(**settings.connection(), enable_auto_commit=False),
        )
        try:
            async with bounded("lookup connects", settings.request_seconds):
                await lookup._admin.start()
                await lookup._reader.start()
                await lookup.answers()
        except BaseException:
            await lookup.stop()
            raise
        return lookup

    async def create(self, specs: Iterable[TopicSpec]) -> None:
        """Create topics; one that exists is left as it is."""
        wanted = {spec.name: spec for spec in specs}
        async with bounded("topics are created", 2 * self._settings.request_seconds):
            there = await self._create(wanted.values())
            if there and self._careless:
                await self._correct([wanted[name] for name in there])
            # The controller has said yes; the broker that we ask next may not have heard yet.
            while {tp.topic for tp in await self._partitions(list(wanted))} != wanted.keys():  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(_HEARSAY_SECONDS)

    async def _create(self, specs: Iterable[TopicSpec]) -> list[str]:
        """Ask for topics; gives those that existed before."""
        topics = [_new_topic(spec, self._settings.replication) for spec in specs]
        answer = await self._admin.create_topics(topics)
        there = []
        for topic, code, *message in answer.topic_errors:
            error = for_code(code)
            if error is TopicAlreadyExistsError:
                there.append(topic)
            elif error is not NoError:
                raise error(topic, *message)
        return there

    async def _correct(self, specs: Sequence[TopicSpec]) -> None:
        """Make anew the topics that the broker invented with a number of partitions of its own, while empty.

        One with records is left: within this life of the broker its keys keep their partitions all the same.
        """
        tps = await self._partitions([spec.name for spec in specs])
        ends = await self._ends(tps)
        for spec in specs:
            mine = [tp for tp in tps if tp.topic == spec.name]
            if len(mine) == spec.partitions:
                continue
            empty = all(ends[tp] == 0 for tp in mine)
            _log.warning("bus_topic_was_invented", topic=spec.name, partitions=len(mine), replaced=empty)
            if empty:
                await self._admin.delete_topics([spec.name])
                await self._create([spec])

    async def range(self, topic: str, partition: int) -> tuple[int, int]:
        """Tell the first kept offset and the next one; both are 0 where there is no such partition."""
        tp = TopicPartition(topic, partition)
        async with bounded(f"range of {topic}", self._settings.request_seconds):
            if tp not in await self._partitions([topic]):
                return 0, 0
            first = await self._reader.beginning_offsets([tp])
            last = await self._ends([tp])
        return first[tp], last[tp]

    async def read_at(self, topic: str, partition: int, offset: int) -> Record | None:
        """Read the record at an offset, or None where there is none."""
        start, end = await self.range(topic, partition)
        if not start <= offset < end:
            return None
        tp = TopicPartition(topic, partition)
        async with self._turn, bounded(f"{topic} is read back", self._settings.request_seconds):
            self._reader.assign([tp])
            self._reader.seek(tp, offset)
            while await self._reader.position(tp) < end:
                fetched = await self._reader.getmany(tp, timeout_ms=_FETCH_SLICE_MS, max_records=1)
                for raw in fetched.get(tp, []):
                    # Compaction may have taken the record away: then the next one is what comes.
                    return to_record(raw) if raw.offset == offset else None
        return None

    async def read_many(self, places: Mapping[Partition, int]) -> dict[Partition, Record]:
        """Read the records at offsets of several partitions, in as few requests as the brokers allow."""
        if not places:
            return {}
        wanted = {TopicPartition(*partition): offset for partition, offset in places.items()}
        found: dict[Partition, Record] = {}
        async with self._turn, bounded("records are read back", self._settings.request_seconds):
            self._reader.assign(list(wanted))
            for tp, offset in wanted.items():
                self._reader.seek(tp, offset)
            # Where nothing comes the log ends before the offset, or the broker is slow: `read_at` tells.
            while wanted and (fetched := await self._reader.getmany(*wanted, timeout_ms=_FETCH_SLICE_MS)):
                for tp, records in fetched.items():
                    offset = wanted.pop(tp)
                    if records[0].offset == offset:
                        found[tp.topic, tp.partition] = to_record(records[0])
            self._reader.assign([])
        for tp, offset in wanted.items():
            late = await self.read_at(tp.topic, tp.partition, offset)
            if late is not None:
                found[tp.topic, tp.partition] = late
        return found

    async def _ends(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        """Tell the next offset of each partition, from its last records where lists are wrong."""
        ends: dict[TopicPartition, int] = await self._reader.end_offsets(tps) if tps else {}
        waiting = {tp for tp, end in ends.items() if end > 0} if self._careless else set()
        if not waiting:
            return ends
        async with self._turn:
            self._reader.assign(list(waiting))
            for tp in waiting:
                self._reader.seek(tp, ends[tp] - 1)
            while waiting:
                for tp in await self._reader.getmany(*waiting, timeout_ms=_FETCH_SLICE_MS):
                    ends[tp] = self._reader.highwater(tp)
                    waiting.discard(tp)
            self._reader.assign([])
        return ends

    async def end_offsets(self, topics: Sequence[str]) -> dict[Partition, int]:
        """Tell the next offset of every partition of the topics that exist."""
        async with bounded("end offsets", self._settings.request_seconds):
            tps = await self._partitions(topics)
            ends = await self._ends(tps)
        return {(tp.topic, tp.partition): offset for tp, offset in ends.items()}

    async def lag(self, group: str, topics: Sequence[str]) -> dict[Partition, int]:
        """Count what a group has not committed."""
        async with bounded(f"lag of {group}", self._settings.request_seconds):
            tps = await self._partitions(topics)
            if not tps:
                return {}
            # Asked for by name: not every broker can list "all partitions of the group".
            committed = await self._admin.list_consumer_group_offsets(group, partitions=tps)
            starts = await self._reader.beginning_offsets(tps)
            ends = await self._ends(tps)
        return {
            (tp.topic, tp.partition): _lag(
                starts[tp], ends[tp], committed[tp].offset if tp in committed else -1
            )
            for tp in tps
        }

    async def answers(self) -> None:
        """Ask the cluster who it is.

        Raises:
            BusUnavailable: it did not say.
        """
        async with bounded("cluster is described", self._settings.request_seconds):
            cluster = await self._admin.describe_cluster()
        self._careless = cluster["cluster_id"] in _CARELESS_CLUSTERS

    async def stop(self) -> None:
        """Close both clients within a few seconds; never raises."""
        await stop_bounded("lookup reader", self._reader.stop, self._reader._client.close)  # noqa: SLF001 - as a consumer's
        await stop_bounded("lookup admin", self._admin.close)

    async def _partitions(self, topics: Sequence[str]) -> list[TopicPartition]:
        if not topics:
            return []
        described = await self._admin.describe_topics(list(topics))
        return [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in described
            for partition in topic["partitions"]
        ]


def _new_topic(spec: TopicSpec, replication: int) -> NewTopic:
    kept_ms = -1 if spec.retention is None else int(spec.retention.total_seconds() * 1000)
    configs = {"cleanup.policy": "compact" if spec.compacted else "delete", "retention.ms": str(kept_ms)}
    return NewTopic(spec.name, spec.partitions, replication, topic_configs=configs)


def _lag(start: int, end: int, committed: int) -> int:
    """Count unread records; a commit outside the kept range is as good as none."""
    return end - (committed if start <= committed <= end else start)
