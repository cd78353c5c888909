"""Customers that left, counted for rises of churn; the days on which it was looked, and what was told."""

from __future__ import annotations

from datetime import date

from services.scoring.domain.asking import Span
from services.scoring.domain.dropping import QUIET
from services.scoring.domain.leaving import Leaving, Rise, Told, spans
from services.scoring.store.drops import happened
from services.scoring.store.rises import STANDS
from shared.db.database import Connection

# An account is a customer from the day on which it began, all along where that is not told, until it left;
# and again from the renewal after that. One end may be told twice: `contract.ended` and `account.churned`.
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
), spans as (
    select * from (values (false, $1::date, $2::date), (true, $2::date, $3::date + 1)) s (late, first, behind)
), there as (
    select late, sum(greatest(behind - greatest(first, least(since, behind)), 0)) as days
    from spans, known group by late
), gone as (
    select late, sum(greatest(
        least(behind, until) - greatest(first, day, least(since, behind)), 0
    )) as days
    from spans, turns join known using (account) where kind = 'churn' group by late
), renewed as (
    select late, count(distinct account) as n from spans, ends
    where kind = 'renewal' and at >= first and at < behind group by late
), left_then as (
    select late, count(distinct account) as n from spans, turns
    where kind = 'churn' and day >= first and day < behind group by late
)
select coalesce(l.n, 0)::int, coalesce(r.n, 0)::int, (coalesce(t.days, 0) - coalesce(g.days, 0))::bigint,
    behind - first, exists (select from turns where kind = 'churn' and day < $1)
from spans left join left_then l using (late) left join renewed r using (late) left join there t using (late)
    left join gone g using (late)
order by late
"""
_SAVE = """
insert into churn_rises (day, seen, left_before, left_after, renewed_before, renewed_after, accounts_before,
    accounts_after, before, after, expected, low, high, chance)
values ($1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict do nothing
"""
_TOLD = """
select day, seen, left_before, left_after, renewed_before, renewed_after, accounts_before, accounts_after,
    before, after, expected, low, high, chance
from churn_rises where seen > $1 and day <= $2 order by day desc limit 1
"""


async def look(conn: Connection, day: date) -> bool:
    """Claim a day; False where it was looked at already."""
    return bool(
        await conn.fetchval("insert into churn_looks values ($1) on conflict do nothing returning true", day)
    )


async def counted(conn: Connection, before: Span, now: Span) -> tuple[Leaving, Leaving] | None:
    """Who left in two spans that follow each other.

    None where nobody is known to have left before both: then nobody knows whether departures were told at
    all, and the first that are told would look like a rise.
    """
    rows = [tuple(row) for row in await conn.fetch(_COUNTED, before.first, now.first, now.last)]
    if not all(row[-1] for row in rows):
        return None
    then, since = (Leaving(*row[:-1]) for row in rows)
    return then, since


async def quiet(conn: Connection, day: date) -> bool:
    """Whether a rise was told of that was still there within a month."""
    return bool(await conn.fetchval("select exists (select from churn_rises where seen > $1)", day - QUIET))


async def seen(conn: Connection, day: date) -> None:
    """Note that the rise which was told of is still there."""
    await conn.execute(
        "update churn_rises set seen = $1 where day = (select max(day) from churn_rises where seen > $2)"
        " and seen < $1",
        day, day - QUIET,
    )  # fmt: skip


async def save(conn: Connection, day: date, told: Rise) -> None:
    """Remember what is told."""
    before, after = told.before, told.after
    await conn.execute(
        _SAVE, day, before.left, after.left, before.renewed, after.renewed, round(before.accounts),
        round(after.accounts), before.rate, after.rate, told.expected, told.low, told.high, told.chance,
    )  # fmt: skip


async def standing(conn: Connection, today: date) -> Told | None:
    """The rise that was still there within the last week, if there is one."""
    row = await conn.fetchrow(_TOLD, today - STANDS, today)
    if row is None:
        return None
    now, _ = spans(row["day"])
    return Told(**dict(row), happened=await happened(conn, now))
