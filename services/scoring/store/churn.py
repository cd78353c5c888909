"""Customers that left, counted for rises of churn; the days on which it was looked, and what was told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from services.scoring.domain.asking import Span
from services.scoring.domain.dropping import QUIET
from services.scoring.domain.leaving import Leaving, Part, Rise, Told, spans
from services.scoring.store.drops import happened
from services.scoring.store.rises import STANDS
from shared.db.database import Connection

# An account is a customer from the day on which it began, all along where that is not told, until it left;
# and again from the renewal after that. One end may be told twice: `contract.ended` and `account.churned`.
# Who has a product is known from answers, usage, tickets and renewals, and only from the day of the first of
# them on: nobody is taken for a customer of a product before, or because of its leaving.
_COUNTED = """
with ends as materialized (
    select coalesce(m.id, h.account_id) as account, h.kind, h.at, h.event_id, h.source
    from happenings h left join merged m on m.former = h.account_id
    where h.kind in ('churn', 'renewal') and h.account_id is not null and h.at < $3::date + 1
), turns as materialized (
    select account, kind, at::date as day, coalesce(lead(at::date) over told, 'infinity') as until
    from (
        select *, lag(kind) over (partition by account order by at, event_id, source) as last from ends
    ) e where kind is distinct from last
    window told as (partition by account order by at, event_id, source)
), known as (
    select account, coalesce(min(since), '-infinity') as since from (
        select coalesce(m.id, a.account_id) as account, a.started_on as since
        from accounts a left join merged m on m.former = a.account_id
        union all select account, null from turns
    ) a group by account
), named as (
    select account_id, product, at::date as day from happenings
    where account_id is not null and product <> '' and kind <> 'churn'
    union all
    select account_id, snapshot ->> 'product', day from answer_facts
    where state = 'counted' and account_id is not null and snapshot ->> 'product' <> ''
), parts as materialized (
    select account, '' as dimension, '' as value, since, '-infinity'::date as known from known
    union all
    select k.account, 'tier', a.tier, k.since, '-infinity'
    from known k join accounts a on a.account_id = k.account where a.tier <> ''
    union all
    select k.account, 'product', n.product, greatest(k.since, min(n.day) + 1), min(n.day) + 1
    from named n left join merged m on m.former = n.account_id
    join known k on k.account = coalesce(m.id, n.account_id) group by k.account, n.product, k.since
), spans as (
    select * from (values (false, $1::date, $2::date), (true, $2::date, $3::date + 1)) s (late, first, behind)
), there as (
    select late, dimension, value, sum(greatest(behind - greatest(first, least(since, behind)), 0)) as days
    from spans, parts group by late, dimension, value
), gone as (
    select late, dimension, value, sum(greatest(
        least(behind, until) - greatest(first, day, least(since, behind)), 0
    )) as days
    from spans, turns join parts using (account) where kind = 'churn' group by late, dimension, value
), renewed as (
    select late, dimension, value, count(distinct account) as n from spans, ends join parts using (account)
    where kind = 'renewal' and at >= first and at < behind and at >= known group by late, dimension, value
), left_then as (
    select late, dimension, value, count(distinct account) as n from spans, turns join parts using (account)
    where kind = 'churn' and day >= first and day < behind and day >= known group by late, dimension, value
)
select dimension, value, coalesce(l.n, 0)::int, coalesce(r.n, 0)::int,
    (t.days - coalesce(g.days, 0))::bigint, behind - first,
    exists (select from turns where kind = 'churn' and day < $1)
from spans join there t using (late) left join left_then l using (late, dimension, value)
    left join renewed r using (late, dimension, value) left join gone g using (late, dimension, value)
where dimension = '' or (dimension, value) in (select dimension, value from left_then)
order by late
"""
_SAVE = """
insert into churn_rises (day, seen, dimension, value, left_before, left_after, renewed_before, renewed_after,
    accounts_before, accounts_after, before, after, expected, low, high, chance)
select $1, $1, * from unnest($2::text[], $3::text[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[],
    $9::int[], $10::float8[], $11::float8[], $12::float8[], $13::float8[], $14::float8[], $15::float8[])
on conflict do nothing
"""
_SEEN = """
update churn_rises r set seen = $1 from unnest($3::text[], $4::text[]) as t (dimension, value)
where (r.dimension, r.value) = (t.dimension, t.value) and r.seen > $2 and r.seen < $1
"""
_TOLD = """
select distinct on (dimension, value) day, seen, dimension, value, left_before, left_after, renewed_before,
    renewed_after, accounts_before, accounts_after, before, after, expected, low, high, chance
from churn_rises where seen > $1 and day <= $2 order by dimension, value, day desc
"""


async def look(conn: Connection, day: date) -> bool:
    """Claim a day; False where it was looked at already."""
    return bool(
        await conn.fetchval("insert into churn_looks values ($1) on conflict do nothing returning true", day)
    )


async def counted(conn: Connection, before: Span, now: Span) -> Mapping[Part, tuple[Leaving, Leaving]]:
    """Who left in two spans that follow each other: of all, and of each tier and product that somebody left.

    Empty where nobody is known to have left before both: then nobody knows whether departures were told at
    all, and the first that are told would look like a rise.
    """
    found: dict[Part, list[Leaving]] = {}
    for dimension, value, *counts, known in map(
        tuple, await conn.fetch(_COUNTED, before.first, now.first, now.last)
    ):
        if not known:
            return {}
        found.setdefault((dimension, value), []).append(Leaving(*counts))
    return {part: (then, since) for part, (then, since) in found.items()}


async def quiet(conn: Connection, day: date) -> set[Part]:
    """Of which customers a rise was told that was still there within a month."""
    rows = await conn.fetch("select dimension, value from churn_rises where seen > $1", day - QUIET)
    return {(row[0], row[1]) for row in rows}


async def seen(conn: Connection, day: date, parts: Collection[Part]) -> None:
    """Note that the rises which were told of are still there."""
    if parts:
        await conn.execute(_SEEN, day, day - QUIET, *zip(*sorted(parts), strict=True))


async def save(conn: Connection, day: date, told: Sequence[Rise]) -> None:
    """Remember what is told."""
    rows = [
        (
            *one.part, before.left, after.left, before.renewed, after.renewed, round(before.accounts),
            round(after.accounts), before.rate, after.rate, one.expected, one.low, one.high, one.chance,
        )
        for one in told
        for before, after in ((one.before, one.after),)
    ]  # fmt: skip
    await conn.execute(_SAVE, day, *zip(*rows, strict=True))


async def standing(conn: Connection, today: date) -> list[Told]:
    """Rises that were still there within the last week: of all customers first."""
    found = []
    for row in await conn.fetch(_TOLD, today - STANDS, today):
        now, _ = spans(row["day"])
        found.append(Told(**dict(row), happened=await happened(conn, now)))
    return sorted(found, key=lambda one: (one.dimension != "", one.chance, one.value))
