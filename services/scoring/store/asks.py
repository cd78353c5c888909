"""Asks: one row per survey, so that each is counted once as asked for and once as handed over."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.scoring.domain.asks import Ask
from shared.db.database import Connection

_INSERT = """
insert into asks (survey_id, family, programme, owner, tier, persona, channel, requested_on, handed_on)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::date[], $9::date[])
on conflict (survey_id) do nothing returning survey_id
"""
_UPDATE = """
update asks a set requested_on = t.requested_on, handed_on = t.handed_on
from unnest($1::uuid[], $2::date[], $3::date[]) as t (survey_id, requested_on, handed_on)
where a.survey_id = t.survey_id
"""
_SELECT = """
select survey_id, family, programme, owner, tier, persona, channel, requested_on, handed_on from asks
"""


async def save_asks(conn: Connection, asks: Sequence[Ask]) -> tuple[list[Ask], list[Ask]]:
    """Write what is newly known of surveys, in order of their ids; returns what was known and what is now."""
    inserted = {row[0] for row in await conn.fetch(_INSERT, *zip(*asks, strict=True))}
    come = [ask for ask in asks if ask.survey_id in inserted]
    rest = [ask for ask in asks if ask.survey_id not in inserted]
    if not rest:
        return [], come
    rows = await conn.fetch(
        _SELECT + "where survey_id = any($1::uuid[]) order by survey_id for update",
        [ask.survey_id for ask in rest],
    )
    known = {row["survey_id"]: Ask(*row.values()) for row in rows}
    pairs = [(known[ask.survey_id], known[ask.survey_id].with_dates_of(ask)) for ask in rest]
    changed = [(old, new) for old, new in pairs if old != new]
    await conn.execute(
        _UPDATE,
        [new.survey_id for _, new in changed],
        [new.requested_on for _, new in changed],
        [new.handed_on for _, new in changed],
    )
    return [old for old, _ in changed], come + [new for _, new in changed]


async def asks_after(conn: Connection, last: UUID | None, limit: int) -> list[Ask]:
    """Asks in order of their ids, for a rebuild."""
    rows = await conn.fetch(
        _SELECT + "where $1::uuid is null or survey_id > $1 order by survey_id limit $2", last, limit
    )
    return [Ask(*row.values()) for row in rows]
