"""How far colleagues fall into the same part: learned once in a while, else when it is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from services.scoring.domain.cutting import path_of
from services.scoring.domain.parts import MEASURED, Pairs, is_bound
from services.scoring.domain.rollups import CONTEXT, Rollup, name_of
from shared.db.database import Connection

NEWEST = 2_000
"""Answers of a family from which it is seen."""

# Whoever belongs to no account has no colleagues; answers of which a dimension is not known are in no part.
# Both are looked at in the newest alone, so that however rare they are no more is read. The collation is the
# index's, else it could not be looked up in.
_COUNTED = """
with said as (
    select coalesce(m.id, account_id) as account, one, two, three, count(*)::float8 as n
    from (
        select account_id, family, snapshot #>> $3::text[] as one,
            case when $4::text[] is null then 'any' else snapshot #>> $4::text[] end as two,
            case when $5::text[] is null then 'any' else snapshot #>> $5::text[] end as three
        from answer_facts
        where state = 'counted'
            and programme = any (array(select programme collate "default" from headlines where family = $1))
        order by day desc limit $2
    ) newest left join merged m on m.former = account_id
    where family = $1 and account_id is not null and one <> '' and two <> '' and three <> ''
    group by 1, 2, 3, 4
)
select (select sum(n) from said), (select sum(n * (n - 1)) from said),
    (select sum(n * (n - 1)) from (select sum(n) as n from said group by account) by_account),
    (select sum(n * (n - 1)) from (select sum(n) as n from said group by one, two, three) by_part)
"""
_NAMED = """
select distinct rollup from score_cells where family = $1 and rollup between $2 and $3
"""
_SAVE = """
insert into bindings values ($1, $2, $3, $4)
on conflict (family, dimensions) do update set (bound, learned_at) = (excluded.bound, excluded.learned_at)
where bindings.learned_at <= excluded.learned_at
"""
_KEPT = "select family, bound from bindings where family = any($1::text[]) and dimensions = $2"
_ATTRIBUTES = f"programme+{CONTEXT}"
_LAST = "\U0010ffff"


async def learn(conn: Connection, family: str, at: datetime) -> None:
    """Learn it of everything that sums of a family are broken down by.

    Args:
        conn: connection.
        family: whose answers.
        at: what time it is.
    """
    named = await conn.fetch(_NAMED, family, _ATTRIBUTES, _ATTRIBUTES + _LAST)
    attributes = [(row[0].removeprefix("programme+"),) for row in named]
    for dimensions in sorted({*MEASURED, *attributes}):
        found = await measured(conn, family, dimensions)
        await conn.execute(_SAVE, family, name_of(dimensions), found.bound, at)


async def bounds(conn: Connection, families: Collection[str], dimensions: Rollup) -> Mapping[str, float]:
    """How far colleagues are in the same part, by family; what is not kept is read from the newest answers.

    Args:
        conn: connection.
        families: of which it is asked.
        dimensions: one to three that a programme, or all of a family, is broken down by.
    """
    if is_bound(dimensions):
        return dict.fromkeys(families, 1.0)
    found: dict[str, float] = dict(map(tuple, await conn.fetch(_KEPT, sorted(families), name_of(dimensions))))
    for family in sorted(set(families) - found.keys()):
        found[family] = (await measured(conn, family, dimensions)).bound
    return found


async def measured(conn: Connection, family: str, dimensions: Rollup) -> Pairs:
    """Pairs among the newest answers of a family."""
    paths = [*(list(path_of(name)) for name in dimensions), None, None][:3]
    row = await conn.fetchrow(_COUNTED, family, NEWEST, *paths)
    n, both, colleagues, part = (float(value or 0) for value in tuple(row or (0, 0, 0, 0)))
    return Pairs(colleagues, both, n * (n - 1) - colleagues, part - both)
