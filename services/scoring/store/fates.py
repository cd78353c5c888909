"""Fates: what each customer had said before their last renewal or end, in all and in each programme.

They are counted when it is told that a contract was renewed or ended, and from then on follow every answer
of the days before it: one that comes late, is amended, held, released or withdrawn.

What is kept of programmes adds up to what is kept of all. Where it does not, a process of a version that did
not know programmes has written; `unlike` finds it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from services.scoring.domain.facts import DIMENSIONS, Fact
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import FROM, Group
from services.scoring.domain.outcomes import DAYS_BEFORE, Churn, Fate, follows
from services.scoring.domain.reading import Told
from shared.db.database import Connection
from shared.db.merged import families

_ALL_SECONDS = 600.0
_PROGRAMME = DIMENSIONS.index("programme")
_SUMS = [name for metric in Metric for name in (metric.value, f"{metric.value}_given")]


def _balance(metric: Metric) -> str:
    """Happy answers less unhappy ones, and all that were given."""
    middle, high = FROM[metric]
    return (
        f"count(*) filter (where {metric} >= {high}) - count(*) filter (where {metric} < {middle}),"
        f" count({metric})"
    )


_BALANCES = ", ".join(map(_balance, Metric))
_ENDED = """
with ended as (
    select distinct on (1) coalesce(m.id, h.account_id) as account_id, kind, at::date as day
    from happenings h left join merged m on m.former = h.account_id
    where kind in ('churn', 'renewal') and h.account_id is not null
        and ($1::uuid[] is null or h.account_id = any ($1))
    order by 1, at desc, event_id, source
)
"""
_BEFORE = """
answer_facts f on f.state = 'counted' and f.day < e.day and f.day >= e.day - $2::int
    and f.account_id = any (e.account_id || array(select former from merged m where m.id = e.account_id))
"""
_COUNTED = f"""
{_ENDED} select e.account_id, e.kind, e.day, {_BALANCES} from ended e left join {_BEFORE}
group by e.account_id, e.kind, e.day
"""  # noqa: S608 - names and numbers of our own
_COUNTED_EACH = f"""
{_ENDED} select e.account_id, coalesce(f.programme, '') collate "C", {_BALANCES} from ended e join {_BEFORE}
group by 1, 2
"""  # noqa: S608 - as above
_COUNT = (f"insert into fates {_COUNTED}", f"insert into programme_fates {_COUNTED_EACH}")


def _sums(of: str) -> str:
    """The sums of one side of a comparison; no row is as good as one in which nothing was given."""
    return ", ".join(f"coalesce({of}.{name}, 0)" for name in _SUMS)


_WRONG = f"""
select array[account_id::text], array[{_sums("kept")}], array[{_sums("anew")}] from fates kept
full join ({_COUNTED}) anew (account_id, kind, day, {", ".join(_SUMS)}) using (account_id)
where (kept.kind, kept.day, {_sums("kept")}) is distinct from (anew.kind, anew.day, {_sums("anew")})
order by 1
"""  # noqa: S608 - as above
_WRONG_EACH = f"""
select array[account_id::text, programme], array[{_sums("kept")}], array[{_sums("anew")}]
from programme_fates kept
full join ({_COUNTED_EACH}) anew (account_id, programme, {", ".join(_SUMS)}) using (account_id, programme)
where ({_sums("kept")}) is distinct from ({_sums("anew")}) order by 1
"""  # noqa: S608 - as above
_UNLIKE = f"""
select account_id from fates whole left join (
    select account_id, {", ".join(f"sum({name}) as {name}" for name in _SUMS)} from programme_fates group by 1
) parts using (account_id)
where ({_sums("whole")}) is distinct from ({_sums("parts")}) order by 1
"""  # noqa: S608 - as above
_KNOWN = """
select t.account_id, f.account_id, f.day
from unnest($1::uuid[]) as t (account_id) left join merged m on m.former = t.account_id
join fates f on f.account_id = coalesce(m.id, t.account_id)
order by f.account_id for update of f
"""
_MOVED = f"""
unnest($1::uuid[], $2::text[], {", ".join(f"${place}::int[]" for place in range(3, 3 + len(_SUMS)))})
    as t (account_id, programme, {", ".join(_SUMS)})
"""
_ADD = f"""
update fates f set {", ".join(f"{name} = f.{name} + t.{name}" for name in _SUMS)}
from (
    select account_id, {", ".join(f"sum({name})::int as {name}" for name in _SUMS)} from {_MOVED} group by 1
) t
where f.account_id = t.account_id
"""  # noqa: S608 - as above
# What is left of withdrawn answers are rows in which nothing was given.
_ADD_EACH = f"""
insert into programme_fates as held select * from {_MOVED} on conflict (account_id, programme)
do update set {", ".join(f"{name} = held.{name} + excluded.{name}" for name in _SUMS)}
"""  # noqa: S608 - as above


def _moods(metric: Metric) -> str:
    """Accounts by what most of their answers were."""
    return f"""
    select '{metric}', sign({metric})::int, count(*)::int, (count(*) filter (where kind = 'churn'))::int
    from fates where day >= $1 and {metric}_given > 0 group by 2
    """  # noqa: S608 - as above


def _moods_each(metric: Metric) -> str:
    """The same by programme."""
    return f"""
    select programme, '{metric}', sign(p.{metric})::int, count(*)::int,
        (count(*) filter (where kind = 'churn'))::int
    from programme_fates p join fates f using (account_id)
    where day >= $1 and p.{metric}_given > 0 and programme <> ''
    group by 1, 3
    """  # noqa: S608 - as above


_CHURN = """
select coalesce(a.tier, ''), count(*)::int, (count(*) filter (where kind = 'churn'))::int,
    sum(a.annual_value) filter (where kind = 'churn'), sum(a.acquisition_cost) filter (where kind = 'churn')
from fates f left join accounts a using (account_id) where f.day >= $1 group by 1 order by 1
"""
_BY_MOOD = " union all ".join(map(_moods, Metric))
_BY_PROGRAMME = " union all ".join(map(_moods_each, Metric))
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
    for statement in _COUNT:
        await conn.execute(statement, ids, DAYS_BEFORE)


async def count_all(conn: Connection) -> None:
    """Count all fates anew."""
    await close_door(conn)
    await conn.execute("delete from fates")
    for statement in _COUNT:
        await conn.execute(statement, None, DAYS_BEFORE, timeout=_ALL_SECONDS)


async def unlike(conn: Connection) -> list[UUID]:
    """Accounts of whom the programmes do not add up to all, so that they are to be counted anew."""
    return [row[0] for row in await conn.fetch(_UNLIKE, timeout=_ALL_SECONDS)]


async def wrong(conn: Connection) -> list[tuple[Sequence[str], Sequence[int], Sequence[int]]]:
    """Fates that are not what answers say: as they are kept, and as they are counted anew.

    Each is named by its account, and where it is that of one programme by this, too.
    """
    rows = await conn.fetch(_WRONG, None, DAYS_BEFORE, timeout=_ALL_SECONDS)
    rows += await conn.fetch(_WRONG_EACH, None, DAYS_BEFORE, timeout=_ALL_SECONDS)
    return [(named, kept, anew) for named, kept, anew in map(tuple, rows)]


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
    if moved := _moved(signed, of, fates):
        columns = list(zip(*[(*key, *sums) for key, sums in sorted(moved.items())], strict=True))
        await conn.execute(_ADD, *columns)
        await conn.execute(_ADD_EACH, *columns)


def _moved(
    signed: Sequence[tuple[Fact, int]], of: Mapping[str, UUID], fates: Mapping[UUID, tuple[UUID, date]]
) -> dict[tuple[UUID, str], list[int]]:
    """What answers that came (1) and went (-1) add to fates, by account and programme."""
    moved: dict[tuple[UUID, str], list[int]] = {}
    for fact, sign in signed:
        account = of.get(fact.response_id)
        if account and account in fates and any(adds := follows(fact, fates[account][1])):
            key = fates[account][0], fact.dims[_PROGRAMME] or ""
            sums = moved.setdefault(key, [0] * len(_SUMS))
            for place, number in enumerate(adds):
                sums[place] += sign * number
    return moved


async def churn(conn: Connection, since: date) -> list[Churn]:
    """Accounts by tier whose contract was renewed or ended since a day, and how many of them left."""
    return [Churn(*row) for row in map(tuple, await conn.fetch(_CHURN, since))]


async def by_mood(conn: Connection, since: date) -> dict[Metric, dict[Group, Fate]]:
    """What became of accounts whose contract was renewed or ended since a day, by what they had said."""
    found: dict[Metric, dict[Group, Fate]] = {}
    for metric, mood, accounts, left in map(tuple, await conn.fetch(_BY_MOOD, since)):
        found.setdefault(Metric(metric), {})[_MOODS[mood]] = Fate(accounts, left)
    return found


async def by_programme(conn: Connection, since: date) -> dict[tuple[str, Metric], dict[Group, Fate]]:
    """The same by what they had said in each programme; all of them are read for it."""
    found: dict[tuple[str, Metric], dict[Group, Fate]] = {}
    rows = await conn.fetch(_BY_PROGRAMME, since, timeout=_ALL_SECONDS)
    for programme, metric, mood, accounts, left in map(tuple, rows):
        found.setdefault((programme, Metric(metric)), {})[_MOODS[mood]] = Fate(accounts, left)
    return found
