"""What people said about being quoted by word of mouth; the weightiest of each answer is kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from shared.db import permissions
from shared.db.database import Connection
from shared.permissions import Word

_LOCK = """
select pg_advisory_xact_lock(hashtextextended('permission ' || id, 0)) from unnest($1::uuid[]) as id
"""


async def lock(conn: Connection, response_ids: Collection[UUID]) -> None:
    """Let nobody else hear of these answers, or of what was said about them, until the transaction ends."""
    await conn.execute(_LOCK, sorted(set(response_ids)))


async def note(conn: Connection, words: Sequence[Word]) -> set[UUID]:
    """Keep what was said, one for each answer; those of which something weightier was known are left out."""
    return await permissions.note(conn, "permissions_noted", words)


async def known(conn: Connection, response_ids: Collection[UUID]) -> dict[UUID, Word]:
    """What was said about these answers."""
    rows = await conn.fetch(
        "select response_id, version, given, at, by from permissions_noted where response_id = any($1)",
        list(response_ids),
    )
    return {row["response_id"]: Word(*row) for row in rows}
