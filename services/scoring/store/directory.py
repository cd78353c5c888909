"""What the directory and the publisher tell: erased contacts, titles of programmes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from shared.db.database import Connection


class Programme(NamedTuple):
    """What pages say of a programme.

    Title, attributes, brand questions, its group's goal and touchpoints are JSON; `follows_up` says
    whether a case, help or a task follows an unhappy answer.
    """

    name: str
    revision: int
    family: str
    title: str
    attributes: str
    brand: str
    group: str
    goal: str
    since: date
    touchpoints: str = "[]"
    state: str | None = None
    follows_up: bool | None = None


# A goal that is published again is the same goal, and counts from the day on which it was first known.
_PROGRAMMES = """
insert into programmes as held
    (programme, revision, family, title, attributes, brand, goal_group, goal, goal_since,
    touchpoints, state, follows_up)
select name, revision, family, title, attributes, array(select jsonb_array_elements_text(brand)), goal_group,
    goal, since, array(select jsonb_array_elements_text(touchpoints)), state, follows_up
from unnest($1::text[], $2::int[], $3::text[], $4::jsonb[], $5::jsonb[], $6::jsonb[], $7::text[], $8::jsonb[],
    $9::date[], $10::jsonb[], $11::text[], $12::bool[])
    as t (name, revision, family, title, attributes, brand, goal_group, goal, since, touchpoints, state,
        follows_up)
on conflict (programme) do update set
    (revision, family, title, attributes, brand, goal_group, goal, touchpoints, state, follows_up,
    goal_since) =
    (excluded.revision, excluded.family, excluded.title, excluded.attributes, excluded.brand,
    excluded.goal_group, excluded.goal, excluded.touchpoints, excluded.state, excluded.follows_up,
    case when held.goal -> 'goal' = excluded.goal -> 'goal'
    then coalesce(held.goal_since, excluded.goal_since) else excluded.goal_since end)
where held.revision < excluded.revision
"""


async def save_programmes(conn: Connection, rows: Collection[Programme]) -> None:
    """Keep the newest edition of programmes."""
    await conn.execute(_PROGRAMMES, *zip(*sorted(rows), strict=True))


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
