"""Ids that lead to others, because they were two names of one: a table of whoever reads the directory.

What was written under a former id stays as it is, for what is sealed can be opened with that id's key alone;
it is found by all ids of whom it is about.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from shared.db.database import Connection

MERGED_TABLE = (
    "create table merged (former uuid primary key, id uuid not null, check (former <> id))",
    "create index merged_id on merged (id)",
    "comment on table merged is 'Where former ids lead; never to one that is former itself.'",
)
_NOTE = """
insert into merged (former, id) select * from unnest($1::uuid[], $2::uuid[])
on conflict (former) do update set id = excluded.id
"""
# News of a chain come in any order: who leads to somebody that leads on is led on, too.
_SHORTEN = """
update merged m set id = beyond.id from merged beyond where m.id = beyond.former and m.former <> beyond.id
returning 1
"""
_FAMILIES = """
with heads as (
    select asked, coalesce(m.id, asked) as head
    from unnest($1::uuid[]) as asked left join merged m on m.former = asked
)
select asked, head, array(select former from merged where id = head order by former) as former from heads
"""


async def note(conn: Connection, leads: Mapping[UUID, UUID]) -> None:
    """Remember under which id somebody or something is known from now on."""
    if leads:
        await conn.execute("lock table merged in share row exclusive mode")
        await conn.execute(_NOTE, list(leads), list(leads.values()))
        while await conn.fetch(_SHORTEN):
            pass


async def families(conn: Connection, ids: Collection[UUID]) -> dict[UUID, tuple[UUID, ...]]:
    """All ids of whoever has one of these: the present one first, then the former ones."""
    rows = await conn.fetch(_FAMILIES, sorted(set(ids)))
    return {row["asked"]: (row["head"], *row["former"]) for row in rows}


async def family(conn: Connection, one: UUID) -> tuple[UUID, ...]:
    """All ids of one, the present one first."""
    return (await families(conn, (one,)))[one]
