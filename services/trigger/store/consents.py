"""What people said about being asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from services.trigger.domain.consent import Said
from services.trigger.store.rows import Row, dump
from shared.db.database import Connection

_OF = """
select id, contact_id, scope, given, at, source, by, firm, takes_back, event_id, last_at, noted_at
from consents
where contact_id = any($1) order by at, id
"""
_ADD = """
insert into consents (contact_id, scope, given, firm, takes_back, at, last_at, noted_at, source, by, event_id)
select contact_id, scope, given, firm, takes_back, at, last_at, $2, source, by, event_id
from jsonb_populate_recordset(null::consents, $1::text::jsonb)
"""


async def histories(conn: Connection, contacts: Iterable[UUID]) -> dict[UUID, list[Said]]:
    """Everything that people said, by contact, oldest first."""
    wanted = sorted(set(contacts))
    found: dict[UUID, list[Said]] = {contact_id: [] for contact_id in wanted}
    for row in await conn.fetch(_OF, wanted):
        found[row["contact_id"]].append(_said(row))
    return found


async def add(conn: Connection, words: Sequence[tuple[UUID, Said]], at: datetime) -> None:
    """Write down new words."""
    rows = [
        {
            "contact_id": contact_id,
            "scope": said.scope,
            "given": said.given,
            "firm": said.firm,
            "takes_back": said.takes_back,
            "at": said.at,
            "last_at": said.until,
            "source": said.source,
            "by": said.by,
            "event_id": said.event_id,
        }
        for contact_id, said in words
    ]
    if rows:
        await conn.execute(_ADD, dump(rows), at)


async def prolong(conn: Connection, words: Sequence[Said]) -> None:
    """Note that words were repeated."""
    if words:
        await conn.execute(
            "update consents c set last_at = w.at from unnest($1::bigint[], $2::timestamptz[]) as w (id, at) "
            "where c.id = w.id",
            [said.id for said in words],
            [said.until for said in words],
        )


async def move(conn: Connection, source: Sequence[UUID], target: UUID) -> None:
    """What several said was said by one person."""
    await conn.execute("update consents set contact_id = $2 where contact_id = any($1)", list(source), target)


async def forget(conn: Connection, contacts: Sequence[UUID]) -> None:
    """Nothing that somebody said is kept once they are erased."""
    await conn.execute("delete from consents where contact_id = any($1)", list(contacts))


def _said(row: Row) -> Said:
    return Said(**{name: row[name] for name in Said.__dataclass_fields__})
