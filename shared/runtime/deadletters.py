"""Records that can never be handled: kept whole with their reason, never more of them than a limit allows."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg

from shared.bus.model import Record, TopicSpec
from shared.runtime.outbox import OutboxRow, dump_headers, load_headers, write_outbox

if TYPE_CHECKING:
    from shared.db.database import Connection

REPLAY_HEADER = "x-redrive-count"
"""Header of a record that an operator replays; says how often it was."""


KEPT = timedelta(days=7)
"""How long a topic of dead letters holds them; they may hold what their sender wrote in clear."""


def dead_letters_of(topic: str) -> TopicSpec:
    """The topic that takes the dead letters of another."""
    return TopicSpec(f"dlq.{topic}", 1, compacted=False, retention=KEPT)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record put aside: the error's class (a metric label) and the reason for a person.

    Source, id and type are what the record says of itself, "" where it does not.
    """

    record: Record
    error: str
    reason: str
    source: str = ""
    event_id: str = ""
    event_type: str = ""
    attempts: int = 1


_INSERT = """
insert into dead_letters (topic, partition, "offset", timestamp_ms, key, headers, value, source, event_id,
    event_type, error, reason, failed_at, failed_wall_at, attempts)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
on conflict (topic, partition, "offset", timestamp_ms) do nothing
"""


async def put_aside(
    conn: Connection, letters: Sequence[DeadLetter], service: str, now: datetime, wall: datetime
) -> None:
    """Store dead letters and announce a copy of each on `dlq.<topic>`, in the caller's transaction."""
    if not letters:
        return
    await conn.executemany(_INSERT, [_values(letter, now, wall) for letter in letters])
    await write_outbox(conn, [_copy(letter, service, wall) for letter in letters], wall)


def _values(letter: DeadLetter, now: datetime, wall: datetime) -> tuple[object, ...]:
    record = letter.record
    return (
        *(record.topic, record.partition, record.offset, record.timestamp_ms, record.key),
        *(dump_headers(record.headers), record.value, letter.source, letter.event_id, letter.event_type),
        *(letter.error, letter.reason[:2000], now, wall, letter.attempts),
    )


def _copy(letter: DeadLetter, service: str, wall: datetime) -> OutboxRow:
    """The record untouched plus the headers of KIP-1191 and ours; a stack trace may hold personal data."""
    record = letter.record
    added = {
        "__dlq.errors.topic": record.topic,
        "__dlq.errors.partition": str(record.partition),
        "__dlq.errors.offset": str(record.offset),
        "__dlq.errors.group": service,
        "__dlq.errors.delivery.count": str(letter.attempts),
        "__dlq.errors.message": letter.reason[:500],
        "x-dlq-exception": letter.error,
        "x-dlq-failed-at": wall.isoformat(),
        "x-dlq-service": service,
    }
    headers = (*record.headers, *((name, text.encode()) for name, text in added.items()))
    return OutboxRow(f"dlq.{record.topic}", record.key, letter.event_id or "unread", headers, record.value)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may die before our own code is the likelier culprit and the partition stops."""

    consecutive: int = 100
    share: float = 0.5
    window: int = 1000
    least: int = 200


class DeathWatch:
    """Watches one partition; says stop when too many records die in a row or among the last ones."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._row = 0
        self._last: deque[bool] = deque()
        self._dead = 0

    def saw(self, *, dead: bool) -> bool:
        """Note one record's fate; returns whether the partition must stop now."""
        self._row = self._row + 1 if dead else 0
        self._last.append(dead)
        self._dead += dead
        if len(self._last) > self._limits.window:
            self._dead -= self._last.popleft()
        seen = len(self._last)
        too_many = seen >= self._limits.least and self._dead > self._limits.share * seen
        return too_many or self._row >= self._limits.consecutive


async def listed(conn: Connection, limit: int) -> list[asyncpg.Record]:
    """The newest dead letters of a service."""
    rows: list[asyncpg.Record] = await conn.fetch(
        "select id, event_type, event_id, error, reason, failed_at, replayed_at from dead_letters"
        " order by id desc limit $1",
        limit,
    )
    return rows


async def find(conn: Connection, number: int) -> asyncpg.Record | None:
    """One dead letter, whole."""
    return await conn.fetchrow("select * from dead_letters where id = $1", number)


async def replay(conn: Connection, number: int, wall: datetime) -> bool:
    """Send a dead letter to its topic again through the outbox; False when there is no such one.

    The header says how often it was replayed; by it the inbox takes an event again that counts as dead.
    """
    row = await conn.fetchrow("select * from dead_letters where id = $1 for update", number)
    if row is None:
        return False
    headers = load_headers(row["headers"])
    before = next((int(content) for name, content in headers if name == REPLAY_HEADER), 0)
    kept = tuple(header for header in headers if header[0] != REPLAY_HEADER)
    again = (*kept, (REPLAY_HEADER, str(before + 1).encode()))
    copy = OutboxRow(row["topic"], row["key"], row["event_id"] or "unread", again, row["value"])
    await write_outbox(conn, [copy], wall)
    await conn.execute("update dead_letters set replayed_at = $2 where id = $1", number, wall)
    return True
