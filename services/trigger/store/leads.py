"""Where former ids lead, of people and of companies that were merged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from shared.db.database import Connection


class Of(NamedTuple):
    """Whose ids are asked about."""

    survivors: str
    former: str


PEOPLE = Of(
    "select id, merged_into from contacts where id = any($1) and merged_into is not null",
    "select id from contacts where merged_into = any($1) order by id",
)
COMPANIES = Of(
    "select id, merged_into from accounts where id = any($1) and merged_into is not null",
    "select id from accounts where merged_into = any($1) order by id",
)


async def survivors(conn: Connection, of: Of, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Where former ids lead; those that lead nowhere are left out."""
    wanted = sorted(set(ids))
    rows = await conn.fetch(of.survivors, wanted) if wanted else ()
    return {row["id"]: row["merged_into"] for row in rows}


async def current_ids(conn: Connection, of: Of, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Each id with the one that it leads to now, itself where nothing was merged."""
    wanted = list(ids)
    return {one: one for one in wanted} | await survivors(conn, of, wanted)


async def former_ids(conn: Connection, of: Of, ids: Iterable[UUID]) -> list[UUID]:
    """The ids by which they were known before they were merged."""
    return [row["id"] for row in await conn.fetch(of.former, sorted(set(ids)))]
