"""What a bus promises, whoever implements it; `tests/contract/test_bus.py` holds each implementation to it.

Delivery is at least once and ordered per key. Every call is bounded in time: what cannot be done now raises
`BusUnavailable`, and the same call may be repeated. Nothing here is retried for ever inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from shared.bus.model import CommitOutcome, Outgoing, Partition, Position, Record, TopicSpec
from shared.errors import Unavailable, Unprocessable


class BusUnavailable(Unavailable):
    """The broker did not answer in time; what was asked may or may not have happened."""


class RecordTooLarge(Unprocessable):
    """A record is larger than the broker takes; repeating cannot help."""


class BusConsumer(Protocol):
    """One member of a consumer group.

    Offsets are committed by the caller alone. A rejoin (`generation` moves) forgets everything handed out
    before it: those records come again from the committed offset, and a commit of them is refused here.
    """

    @property
    def generation(self) -> int:
        """Count the assignments received so far; 0 before the first."""
        ...

    async def start(self) -> None:
        """Connect and join in the background; does not wait for an assignment.

        Raises:
            BusUnavailable: the broker is away; start may be called again.
        """
        ...

    async def stop(self) -> None:
        """Leave within five seconds, whatever state the broker is in; never raises."""
        ...

    async def getmany(self, max_records: int, timeout_seconds: float) -> list[Record]:
        """Hand out what is there, in offset order per partition; an empty list when nothing came in time.

        Raises:
            BusUnavailable: the broker is away or the group failed; call again, it reconnects by itself.
        """
        ...

    async def commit(self, offsets: Mapping[Partition, int]) -> CommitOutcome:
        """Record for each partition the offset of the next record to read (the last handled + 1).

        Only what this member got in its present generation can be committed; anything else is a
        `LOST_ASSIGNMENT` and commits nothing.

        Raises:
            BusUnavailable: unknown whether the commit arrived.
        """
        ...

    def assignment(self) -> frozenset[Partition]:
        """Name the partitions that are this member's now."""
        ...

    async def positions(self) -> dict[Partition, int]:
        """Tell for each assigned partition the offset that comes next."""
        ...

    async def seek_to_beginning(self) -> None:
        """Read every assigned partition again from its oldest record.

        Raises:
            BusUnavailable: nothing is assigned now; what will be assigned is not rewound.
        """
        ...


class Bus(Protocol):
    """The log: produce, consume, look back."""

    async def start(self) -> None:
        """Prepare; a broker that is away is no error here, later calls connect when it is back."""
        ...

    async def stop(self) -> None:
        """Close within a few seconds, whatever state the broker is in; never raises."""
        ...

    async def produce(self, records: Sequence[Outgoing]) -> list[Position]:
        """Append all records and return their positions, in the order given, when every one is acknowledged.

        Records of one partition are appended in the order given: none is sent before its predecessor's batch
        is acknowledged, so a failure never lets a later record of a key appear without the earlier one.

        Raises:
            BusUnavailable: some may have been appended, some not; repeat all of them.
            RecordTooLarge: one of the records can never be appended.
        """
        ...

    def consumer(self, group: str, topics: Sequence[str], instance: str) -> BusConsumer:
        """Make a member of a group; `instance` is its lasting name: a restart takes its place again."""
        ...

    async def read_at(self, topic: str, partition: int, offset: int) -> Record | None:
        """Read one record back; None when no record stands at that offset.

        A missing record has two reasons: the log lost its data, or retention dropped it. `log_range` tells
        them apart: a start beyond the offset is retention.
        """
        ...

    async def read_many(self, places: Mapping[Partition, int]) -> dict[Partition, Record]:
        """Read one record of each partition back; those where none stands at the offset are left out."""
        ...

    async def log_range(self, topic: str, partition: int) -> tuple[int, int]:
        """Tell the oldest offset kept and the next record's; 0 and 0 where there is no such partition."""
        ...

    async def ensure_topics(self, specs: Sequence[TopicSpec]) -> None:
        """Create the topics that do not exist; existing ones are left as they are."""
        ...

    async def lag(self, group: str, topics: Sequence[str]) -> dict[Partition, int]:
        """Count per partition what the group has not committed; without a commit, all kept records."""
        ...

    async def end_offsets(self, topics: Sequence[str]) -> dict[Partition, int]:
        """Tell per partition the offset that the next record will get."""
        ...

    async def healthy(self) -> bool:
        """Tell within a few seconds whether the broker answers."""
        ...
