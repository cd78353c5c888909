"""Keeps what writers of answers said by word, the weightiest of each answer, and tells others of it.

A service that hears of it has a table of its own with `response_id` as the key, `version`, `given`, `at` and
`by`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from shared.contracts.forms import Permission
from shared.contracts.permissions import PermissionNoted
from shared.db.database import Connection, Tx
from shared.permissions import Word


async def note(conn: Connection, table: LiteralString, words: Sequence[Word]) -> set[UUID]:
    """Keep what was said, one for each answer; those of which something weightier was known are left out."""
    rows = [
        (one.response_id, one.version, one.given, one.at, one.by)
        for one in sorted(words, key=lambda one: one.response_id)
    ]
    if not rows:
        return set()
    kept = await conn.fetch(
        f"""
        insert into {table} as known (response_id, version, given, at, by)
        select * from unnest($1::uuid[], $2::int[], $3::bool[], $4::timestamptz[], $5::text[])
        on conflict (response_id) do update set
            version = excluded.version, given = excluded.given, at = excluded.at, by = excluded.by
        where (known.version, known.at, not known.given) < (excluded.version, excluded.at, not excluded.given)
        returning response_id
        """,  # noqa: S608 - a table of our own
        *map(list, zip(*rows, strict=True)),
    )
    return {row["response_id"] for row in kept}


def announce(tx: Tx, event: type[PermissionNoted], word: Word) -> None:
    """Tell the other services; what was said at the same moment of the same version is told once.

    `event` is named by the service: what it sends can be read off its code.
    """
    told = event(
        response_id=str(word.response_id),
        version=word.version,
        permission=Permission.QUOTE,
        given=word.given,
        by=word.by,
        at=word.at,
    )
    identity = f"{word.response_id}/{word.version}/{word.at.isoformat()}/{word.given}"
    tx.emit(told, identity=identity, key=str(word.response_id))
