"""Fates: what each customer had said before their last contract was renewed or ended.

They are counted when it is told that a contract was renewed or ended, and from then on follow every answer
of the days before it: one that comes late, is amended, held, released or withdrawn.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from services.scoring.domain.facts import Fact
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import FROM, Group
from services.scoring.domain.outcomes import DAYS_BEFORE, Churn, Fate, follows
from services.scoring.domain.reading import Told
from shared.db.database import Connection
from shared.db.merged import families

_ALL_SECONDS = 600.0
_SUMS = [name for metric in Metric for name in (metric.value, f"{metric.value}_given")]


def _balance(metric: Metric) -> str:
    """Happy answers less unhappy ones, and all that were given."""
    middle, high = FROM[metric]
    return (
        f"count(*) filter (where {metric} >= {high}) - count(*) filter (where {metric} < {middle}),"
        f" count({metric})"
    )


_COUNTED = f"""
with ended as (
    select distinct on (1) coalesce(m.id, h.account_id) as account_id, kind, at::date as day
    from happenings h left join merged m on m.former = h.account_id
    where kind in ('churn', 'renewal') and h.account_id is not null
        and ($1::uuid[] is null or h.account_id = any ($1))
    order by 1, at desc, event_id, source
)
select e.account_id, e.kind, e.day, {", ".join(map(_balance, Metric))}
from ended e left join answer_facts f on f.state = 'counted' and f.day < e.day and f.day >= e.day - $2::int
    and f.account_id = any (e.account_id || array(select former from merged m where m.id = e.account_id))
group by e.account_id, e.kind, e.day
"""  # noqa: S608 - names and numbers of our own
_COUNT = f"insert into fates {_COUNTED}"
_KEPT = ", ".join(f"kept.{name}" for name in _SUMS)
_ANEW = ", ".join(f"anew.{name}" for name in _SUMS)
_WRONG = f"""
select account_id::text, array[{_KEPT}], array[{_ANEW}] from fates kept
full join ({_COUNTED}) anew (account_id, kind, day, {", ".join(_SUMS)}) using (account_id)
where (kept.kind, kept.day, {_KEPT}) is distinct from (anew.kind, anew.day, {_ANEW}) order by 1
"""  # noqa: S608 - as above
_KNOWN = """
select t.account_id, f.account_id, f.day
from unnest($1::uuid[]) as t (account_id) left join merged m on m.former = t.account_id
join fates f on f.account_id = coalesce(m.id, t.account_id)
order by f.account_id for update of f
"""
_ADD = f"""
update fates f set {", ".join(f"{name} = f.{name} + t.{name}" for name in _SUMS)}
from unnest($1::uuid[], {", ".join(f"${place}::int[]" for place in range(2, 2 + len(_SUMS)))})
    as t (account_id, {", ".join(_SUMS)})
where f.account_id = t.account_id
"""  # noqa: S608 - as above


def _moods(metric: Metric) -> str:
    """Accounts by what most of their answers were."""
    return f"""
    select '{metric}', sign({metric})::int, count(*)::int, (count(*) filter (where kind = 'churn'))::int
    from fates where day >= $1 and {metric}_given > 0 group by 2
    """  # noqa: S608 - as above


_CHURN = """
select coalesce(a.tier, ''), count(*)::int, (count(*) filter (where kind = 'churn'))::int,
    sum(a.annual_value) filter (where kind = 'churn'), sum(a.acquisition_cost) filter (where kind = 'churn')
from fates f left join accounts a using (account_id) where f.day >= $1 group by 1 order by 1
"""
_BY_MOOD = " union all ".join(map(_moods, Metric))
SIGNS = {Group.HIGH: 1, Group.MIDDLE: 0, Group.LOW: -1}
"""More happy than unhappy answers, as many, fewer."""

_MOODS = {sign: mood for mood, sign in SIGNS.items()}


async def close_door(conn: Connection) -> None:
    """Before fates are counted: whoever writes answers is through, or sees the new fates."""
    await conn.execute("lock table fates in exclusive mode")


async def count(conn: Connection, accounts: Collection[UUID]) -> None:
    """Count the fates of some accounts anew, under all their ids; the door is closed."""
    ids = [one for family in (await families(conn, accounts)).values() for one in family]
    await conn.execute("delete from fates where account_id = any ($1)", ids)
    await conn.execute(_COUNT, ids, DAYS_BEFORE)


async def count_all(conn: Connection) -> None:
    """Count all fates anew."""
    await close_door(conn)
    await conn.execute("delete from fates")
    await conn.execute(_COUNT, None, DAYS_BEFORE, timeout=_ALL_SECONDS)


async def wrong(conn: Connection) -> list[tuple[str, Sequence[int], Sequence[int]]]:
    """Accounts whose fate is not what answers say: as it is kept, and as it is counted anew."""
    rows = await conn.fetch(_WRONG, None, DAYS_BEFORE, timeout=_ALL_SECONDS)
    return [(account, _known(kept), _known(anew)) for account, kept, anew in map(tuple, rows)]


def _known(sums: Sequence[int | None]) -> Sequence[int]:
    """Nothing where there is no such fate."""
    return [number for number in sums if number is not None]


async def follow(conn: Connection, told: Sequence[Told], gone: Sequence[Fact], come: Sequence[Fact]) -> None:
    """Move the fates by answers that changed. Those of today are no warning of anything: they cost a look."""
    await conn.execute("lock table fates in row share mode")
    newest: date | None = await conn.fetchval("select max(day) from fates")
    signed = [(fact, sign) for facts, sign in ((gone, -1), (come, 1)) for fact in facts]
    if newest is None or all(fact.day >= newest for fact, _ in signed):
        return
    of = {one.fact.response_id: UUID(one.account_id) for one in told if one.account_id}
    fates: dict[UUID, tuple[UUID, date]] = {
        account: (head, day)
        for account, head, day in map(tuple, await conn.fetch(_KNOWN, sorted(set(of.values()))))
    }
    moved: dict[UUID, list[int]] = {}
    for fact, sign in signed:
        account = of.get(fact.response_id)
        if account in fates and (adds := follows(fact, fates[account][1])):
            sums = moved.setdefault(fates[account][0], [0] * len(_SUMS))
            for place, number in enumerate(adds):
                sums[place] += sign * number
    if moved:
        rows = [(account, *sums) for account, sums in sorted(moved.items())]
        await conn.execute(_ADD, *zip(*rows, strict=True))


async def churn(conn: Connection, since: date) -> list[Churn]:
    """Accounts by tier whose contract was renewed or ended since a day, and how many of them left."""
    return [Churn(*row) for row in map(tuple, await conn.fetch(_CHURN, since))]


async def by_mood(conn: Connection, since: date) -> dict[Metric, dict[Group, Fate]]:
    """What became of accounts whose contract was renewed or ended since a day, by what they had said."""
    found: dict[Metric, dict[Group, Fate]] = {}
    for metric, mood, accounts, left in map(tuple, await conn.fetch(_BY_MOOD, since)):
        found.setdefault(Metric(metric), {})[_MOODS[mood]] = Fate(accounts, left)
    return found
