"""A log in memory: deterministic, passes the contract suite, and can lose everything on purpose.

Groups rebalance at once and evenly: partitions are dealt in order to the members sorted by instance name.
Faults are calls: `go_down` and `come_back` for a broker restart, `lose_everything` for a new birth.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from shared.bus.model import (
    MAX_RECORD_BYTES,
    CommitOutcome,
    Outgoing,
    Partition,
    Position,
    Record,
    TopicSpec,
)
from shared.bus.partitioner import partition_of
from shared.bus.port import Bus, BusConsumer, BusUnavailable, RecordTooLarge


@dataclass(slots=True)
class _Group:
    """A consumer group: its members by instance name, and what it has committed."""

    members: dict[str, MemoryConsumer] = field(default_factory=dict)
    committed: dict[Partition, int] = field(default_factory=dict)


class MemoryBus:
    """A bus whose log lives and dies with this object.

    Args:
        wall: gives record timestamps in seconds since the epoch; a constant by default, so runs are equal.
    """

    def __init__(self, wall: Callable[[], float] = lambda: 0.0) -> None:
        self._wall = wall
        self._down = False
        self._logs: dict[Partition, list[Record]] = {}
        self._groups: dict[str, _Group] = {}
        self._specs: dict[str, TopicSpec] = {}
        self._turn = count()
        self._news = asyncio.Event()

    async def start(self) -> None:
        """Nothing to connect to."""

    async def stop(self) -> None:
        """Nothing to close; the log stays readable."""

    async def produce(self, records: Sequence[Outgoing]) -> list[Position]:
        """Append all or nothing; see `Bus.produce`."""
        self._require_up()
        placed = [(self._place(record), record) for record in records]
        positions = [self._append(partition, record) for partition, record in placed]
        self._wake()
        return positions

    def consumer(self, group: str, topics: Sequence[str], instance: str) -> MemoryConsumer:
        """Make a member of a group; see `Bus.consumer`."""
        return MemoryConsumer(self, group, frozenset(topics), instance)

    async def read_at(self, topic: str, partition: int, offset: int) -> Record | None:
        """Read one record back; see `Bus.read_at`."""
        self._require_up()
        log = self._logs.get((topic, partition), [])
        return log[offset] if 0 <= offset < len(log) else None

    async def read_many(self, places: Mapping[Partition, int]) -> dict[Partition, Record]:
        """Read several records back; see `Bus.read_many`."""
        found = {place: await self.read_at(*place, offset) for place, offset in places.items()}
        return {place: record for place, record in found.items() if record is not None}

    async def log_range(self, topic: str, partition: int) -> tuple[int, int]:
        """Tell the kept range; this log never drops a record."""
        self._require_up()
        return 0, len(self._logs.get((topic, partition), []))

    async def ensure_topics(self, specs: Sequence[TopicSpec]) -> None:
        """Create the topics that do not exist; see `Bus.ensure_topics`."""
        self._require_up()
        for spec in specs:
            if spec.name not in self._specs:
                self._specs[spec.name] = spec
                self._create(spec)
        self._rebalance_all()

    async def lag(self, group: str, topics: Sequence[str]) -> dict[Partition, int]:
        """Count what the group has not committed; see `Bus.lag`."""
        ends = await self.end_offsets(topics)
        committed = self._groups[group].committed if group in self._groups else {}
        return {partition: end - committed.get(partition, 0) for partition, end in ends.items()}

    async def end_offsets(self, topics: Sequence[str]) -> dict[Partition, int]:
        """Tell the next offset per partition; see `Bus.end_offsets`."""
        self._require_up()
        return {partition: len(log) for partition, log in self._logs.items() if partition[0] in topics}

    async def healthy(self) -> bool:
        """Tell whether `go_down` was called last."""
        return not self._down

    def go_down(self) -> None:
        """Refuse every call until `come_back`, as a stopped broker does; the log stays."""
        self._down = True
        self._wake()

    def come_back(self) -> None:
        """Answer again; members rejoin, as after a broker's restart."""
        self._down = False
        self._rebalance_all()

    def lose_everything(self) -> None:
        """Start a new birth: no records, no committed offsets, offsets from 0, the same topics."""
        self._logs.clear()
        for spec in self._specs.values():
            self._create(spec)
        for group in self._groups.values():
            group.committed.clear()
        self._rebalance_all()

    def _require_up(self) -> None:
        if self._down:
            raise BusUnavailable("the memory bus is down")

    def _create(self, spec: TopicSpec) -> None:
        for number in range(spec.partitions):
            self._logs[(spec.name, number)] = []

    def _log(self, topic: str, partition: int) -> list[Record]:
        try:
            return self._logs[(topic, partition)]
        except KeyError:
            raise BusUnavailable(f"no partition {partition} of topic {topic}") from None

    def _place(self, record: Outgoing) -> Partition:
        if record.size() > MAX_RECORD_BYTES:
            raise RecordTooLarge(f"a record for {record.topic} is larger than {MAX_RECORD_BYTES} bytes")
        spec = self._specs.get(record.topic)
        if spec is None:
            raise BusUnavailable(f"topic {record.topic} does not exist")
        if record.partition is not None:
            self._log(record.topic, record.partition)
            return record.topic, record.partition
        if record.key is None:
            return record.topic, next(self._turn) % spec.partitions
        return record.topic, partition_of(record.key, spec.partitions)

    def _append(self, partition: Partition, record: Outgoing) -> Position:
        log = self._logs[partition]
        now_ms = int(self._wall() * 1000)
        log.append(Record(*partition, len(log), record.key, record.value, record.headers, now_ms))
        return Position(*partition, len(log) - 1, now_ms)

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _rebalance_all(self) -> None:
        for group in self._groups.values():
            self._rebalance(group)
        self._wake()

    def _rebalance(self, group: _Group) -> None:
        """Deal every partition of each topic to the members that want the topic."""
        shares: dict[str, set[Partition]] = {instance: set() for instance in group.members}
        for topic in sorted(self._specs):
            takers = sorted(name for name, member in group.members.items() if topic in member.topics)
            for number in range(self._specs[topic].partitions if takers else 0):
                shares[takers[number % len(takers)]].add((topic, number))
        for instance, member in group.members.items():
            member.take_assignment(shares[instance], group.committed)

    def join(self, member: MemoryConsumer) -> None:
        """Add a member to its group; one of the same instance name is fenced off."""
        self._require_up()
        group = self._groups.setdefault(member.group, _Group())
        former = group.members.get(member.instance)
        if former is not None and former is not member:
            former.take_assignment(set(), {})
        group.members[member.instance] = member
        self._rebalance(group)
        self._wake()

    def leave(self, member: MemoryConsumer) -> None:
        """Take a member out of its group and deal its partitions to the others."""
        group = self._groups.get(member.group)
        if group is not None and group.members.get(member.instance) is member:
            del group.members[member.instance]
            self._rebalance(group)
        self._wake()

    def committed(self, group: str) -> dict[Partition, int]:
        """Give the group's committed offsets to read and to write."""
        self._require_up()
        return self._groups[group].committed

    def records_from(self, partition: Partition, offset: int, limit: int) -> list[Record]:
        """Read up to `limit` records of a partition from an offset on."""
        self._require_up()
        return self._logs.get(partition, [])[offset : offset + limit]

    @property
    def news(self) -> asyncio.Event:
        """Give the event that is set at the next change of the log or of a group."""
        return self._news


class MemoryConsumer:
    """A member of a group on a `MemoryBus`; see `BusConsumer`."""

    def __init__(self, bus: MemoryBus, group: str, topics: frozenset[str], instance: str) -> None:
        self.group = group
        self.topics = topics
        self.instance = instance
        self._bus = bus
        self._generation = 0
        self._positions: dict[Partition, int] = {}
        self._handed: dict[Partition, int] = {}

    @property
    def generation(self) -> int:
        """Count the assignments received; see `BusConsumer.generation`."""
        return self._generation

    async def start(self) -> None:
        """Join the group."""
        self._bus.join(self)

    async def stop(self) -> None:
        """Leave the group."""
        self._bus.leave(self)
        self._positions.clear()
        self._handed.clear()

    async def getmany(self, max_records: int, timeout_seconds: float) -> list[Record]:
        """Hand out what is there, or wait for news; see `BusConsumer.getmany`."""
        try:
            async with asyncio.timeout(timeout_seconds):
                while not (batch := self._take(max_records)):
                    await self._bus.news.wait()
                return batch
        except TimeoutError:
            return []

    async def commit(self, offsets: Mapping[Partition, int]) -> CommitOutcome:
        """Commit what was handed out in this generation; see `BusConsumer.commit`."""
        committed = self._bus.committed(self.group)
        if any(offset > self._handed.get(partition, -1) for partition, offset in offsets.items()):
            return CommitOutcome.LOST_ASSIGNMENT
        committed.update(offsets)
        return CommitOutcome.COMMITTED

    def assignment(self) -> frozenset[Partition]:
        """Name the partitions of this member."""
        return frozenset(self._positions)

    async def positions(self) -> dict[Partition, int]:
        """Tell the next offset per assigned partition."""
        return dict(self._positions)

    async def seek_to_beginning(self) -> None:
        """Read everything again; see `BusConsumer.seek_to_beginning`."""
        if not self._positions:
            raise BusUnavailable("nothing is assigned")
        self._positions = dict.fromkeys(self._positions, 0)
        self._handed.clear()

    def take_assignment(self, share: set[Partition], committed: Mapping[Partition, int]) -> None:
        """Begin a new generation with these partitions, from the committed offsets."""
        self._generation += 1
        self._positions = {partition: committed.get(partition, 0) for partition in sorted(share)}
        self._handed.clear()

    def _take(self, max_records: int) -> list[Record]:
        batch: list[Record] = []
        for partition, offset in list(self._positions.items()):
            records = self._bus.records_from(partition, offset, max_records - len(batch))
            if records:
                # To the end of the line: a busy partition must not starve the others.
                del self._positions[partition]
                self._positions[partition] = self._handed[partition] = records[-1].offset + 1
                batch.extend(records)
        return batch


_BUS: type[Bus] = MemoryBus
_CONSUMER: type[BusConsumer] = MemoryConsumer
