"""What people said about being quoted by word of mouth; the weightiest of each answer is kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from services.alerts.domain.quoting import Word
from shared.db.database import Connection

_LOCK = """
select pg_advisory_xact_lock(hashtextextended('permission ' || id, 0)) from unnest($1::uuid[]) as id
"""
_NOTE = """
insert into permissions_noted as known (response_id, version, given, at, by)
select * from unnest($1::uuid[], $2::int[], $3::bool[], $4::timestamptz[], $5::text[])
on conflict (response_id) do update set
    version = excluded.version, given = excluded.given, at = excluded.at, by = excluded.by
where (known.version, known.at, not known.given) < (excluded.version, excluded.at, not excluded.given)
returning response_id
"""


async def lock(conn: Connection, response_ids: Collection[UUID]) -> None:
    """Let nobody else hear of these answers, or of what was said about them, until the transaction ends."""
    await conn.execute(_LOCK, sorted(set(response_ids)))


async def note(conn: Connection, words: Sequence[Word]) -> set[UUID]:
    """Keep what was said, one for each answer; those of which something weightier was known are left out."""
    if not words:
        return set()
    rows = [(one.response_id, one.version, one.given, one.at, one.by) for one in words]
    return {row["response_id"] for row in await conn.fetch(_NOTE, *map(list, zip(*rows, strict=True)))}


async def known(conn: Connection, response_ids: Collection[UUID]) -> dict[UUID, Word]:
    """What was said about these answers."""
    rows = await conn.fetch(
        "select response_id, version, given, at, by from permissions_noted where response_id = any($1)",
        list(response_ids),
    )
    return {row["response_id"]: Word(*row) for row in rows}
