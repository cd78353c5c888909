"""What the directory and the publisher tell: erased contacts, titles of programmes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from shared.db.database import Connection


async def save_programmes(conn: Connection, rows: Collection[tuple[str, int, str, str]]) -> None:
    """Keep the newest title of programmes: name, revision, family, titles by language as JSON."""
    await conn.execute(
        "insert into programmes as held select * from unnest($1::text[], $2::int[], $3::text[], $4::jsonb[])"
        " on conflict (programme) do update set revision = excluded.revision, family = excluded.family,"
        " title = excluded.title where held.revision < excluded.revision",
        *zip(*sorted(rows), strict=True),
    )


async def erase(conn: Connection, erased: Mapping[UUID, datetime]) -> None:
    """Remember who was erased, so that no later answer of theirs is kept with what leads to them."""
    await conn.execute("lock table erased_contacts in exclusive mode")
    contacts = sorted(erased)
    await conn.execute(
        "insert into erased_contacts select * from unnest($1::uuid[], $2::timestamptz[])"
        " on conflict do nothing",
        contacts,
        [erased[contact] for contact in contacts],
    )
    await conn.execute("delete from people where contact_id = any($1::uuid[])", contacts)
