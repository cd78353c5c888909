"""Find out that a broker lost its data: records we know are no longer where they were.

A mark is a record somebody saw or was acked. It moves on only after the earlier mark was found in its
place, so a log that was replaced between two looks is noticed however much was written to it since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.bus.model import Partition, Record
from shared.bus.port import Bus


@dataclass(frozen=True, slots=True)
class Mark:
    """A record in its place: offset and producer time together tell two births of a log apart."""

    offset: int
    timestamp_ms: int


class Continuity:
    """Marks of several partitions: `note` what was seen, `broken` looks back."""

    def __init__(
        self, verified: Mapping[Partition, Mark] | None = None, compacted: Iterable[str] = ()
    ) -> None:
        self.verified: dict[Partition, Mark] = dict(verified or {})
        self._latest: dict[Partition, Mark] = {}
        self._compacted = frozenset(compacted)

    def note(self, partition: Partition, mark: Mark) -> None:
        """Remember a record; the first of a partition is its first mark."""
        self._latest[partition] = mark
        self.verified.setdefault(partition, mark)

    def forget(self) -> None:
        """Start anew, after a new birth was dealt with."""
        self.verified.clear()
        self._latest.clear()

    async def broken(self, bus: Bus, partitions: Iterable[Partition] | None = None) -> bool:
        """Look back at every mark; move on where it stands, return True where the log was replaced.

        Raises:
            BusUnavailable: nothing can be said now.
        """
        asked = self.verified if partitions is None else partitions
        marks = {p: self.verified[p] for p in asked if p in self.verified}
        latest = dict(self._latest)
        records = await bus.read_many({partition: mark.offset for partition, mark in marks.items()})
        for partition, mark in marks.items():
            if not await self._stands(bus, partition, mark, records.get(partition)):
                return True
            self.verified[partition] = latest.get(partition, mark)
        return False

    async def _stands(self, bus: Bus, partition: Partition, mark: Mark, record: Record | None) -> bool:
        topic, number = partition
        if record is not None:
            return record.timestamp_ms == mark.timestamp_ms
        start, end = await bus.log_range(topic, number)
        # Retention drops from the start, compaction from the middle; a lost log ends before the mark.
        return end > mark.offset and (start > mark.offset or topic in self._compacted)
