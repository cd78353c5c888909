"""The outbox: rows written with the state they announce; `relay` brings them to Kafka."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.db.database import Connection

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One record to be: bytes as they will lie in Kafka."""

    topic: str
    key: bytes | None
    event_id: str
    headers: Headers
    value: bytes | None


_INSERT = """
insert into outbox (day, written_at, topic, key, event_id, headers, value)
select $1::date, $2, t.* from unnest($3::text[], $4::bytea[], $5::text[], $6::text[], $7::bytea[]) as t
"""


async def write_outbox(conn: Connection, rows: Sequence[OutboxRow], wall: datetime) -> None:
    """Insert rows in the order given; `wall` is machine time and names the day partition."""
    if not rows:
        return
    await conn.execute(
        _INSERT,
        wall.date(),
        wall,
        [row.topic for row in rows],
        [row.key for row in rows],
        [row.event_id for row in rows],
        [dump_headers(row.headers) for row in rows],
        [row.value for row in rows],
    )


def dump_headers(headers: Iterable[tuple[str, bytes]]) -> str:
    """Headers as text; bytes survive untouched as Latin-1."""
    return json.dumps([(name, content.decode("latin-1")) for name, content in headers])


def load_headers(text: str) -> Headers:
    """The reverse of `dump_headers`."""
    return tuple((name, content.encode("latin-1")) for name, content in json.loads(text))
