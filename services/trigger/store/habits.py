"""What people do: sums by person, habit and week or day, and what they come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.trigger.domain.candidates import HELP_TIMES, SetAside, Spotted
from services.trigger.domain.habits import HELP, KEPT, USES
from shared.db.database import Connection

_ADD = """
insert into habits (contact_id, habit, day, account_id, times)
select * from unnest($1::uuid[], $2::text[], $3::date[], $4::uuid[], $5::int[]) order by 1, 2, 3
on conflict (contact_id, habit, day) do update set
    times = habits.times + excluded.times, account_id = coalesce(excluded.account_id, habits.account_id)
"""
# A week counts that is whole, at least twice and three deviations above the weeks before it, of which at
# least three are known.
_USES = """
with weeks as (
    select *, min(day) over (partition by contact_id, habit) as first_day,
        coalesce(sum(times) over (partition by contact_id, habit order by day
            range between '56 days' preceding and '1 day' preceding), 0) as before
    from habits where habit like $2 and day + 7 <= $1::date
), usual as (
    select *, before::float / least(8, greatest(1, (day - first_day) / 7)) as usual from weeks
), surges as (
    select distinct on (contact_id, habit) * from usual
    where day >= $1::date - 35 and day - first_day >= 21 and times >= 5
        and times >= 2 * usual and times >= usual + 3 * sqrt(greatest(usual, 1))
    order by contact_id, habit, day
), everybody as (select habit, count(distinct contact_id) as n from weeks group by habit)
insert into spotted (habit, people, accounts, of_people, days, times, usual, as_of)
select s.habit, count(*), count(distinct account_id), max(n),
    percentile_disc(0.5) within group (order by day - first_day),
    percentile_disc(0.5) within group (order by before + times),
    percentile_cont(0.5) within group (order by usual), $1
from surges s join everybody using (habit) group by s.habit
"""
_HELP = """
with days as (
    select *, sum(times) over recent as sought, min(day) over recent as first_day
    from habits where habit = $2
    window recent as (partition by contact_id order by day
        range between '13 days' preceding and current row)
), third as (
    select distinct on (contact_id) * from days where sought >= $3 and day >= $1::date - 28
    order by contact_id, day
)
insert into spotted (habit, people, accounts, of_people, days, times, usual, as_of)
select $2, count(*), count(distinct account_id), (select count(distinct contact_id) from days),
    percentile_disc(0.5) within group (order by day - first_day), $3, 0, $1
from third having count(*) > 0
"""
_RENEWALS = """
select count(distinct a.id)::int as accounts, count(c.id)::int as people
from accounts a
join contacts c on c.account_id = a.id and c.erased_at is null and c.merged_into is null
where a.merged_into is null and a.renewal_on between $1::date and $1::date + 90
"""


class Did(NamedTuple):
    """Somebody's habit in a week or on a day."""

    contact_id: UUID
    habit: str
    day: date


async def add(conn: Connection, times: Mapping[Did, int], accounts: Mapping[UUID, UUID | None]) -> None:
    """Count on; the people's rows are locked."""
    if times:
        await conn.execute(
            _ADD,
            [did.contact_id for did in times],
            [did.habit for did in times],
            [did.day for did in times],
            [accounts.get(did.contact_id) for did in times],
            list(times.values()),
        )


async def forget(conn: Connection, contacts: Sequence[UUID]) -> None:
    """Somebody who is erased has no habits."""
    await conn.execute("delete from habits where contact_id = any($1)", list(contacts))


async def spot(conn: Connection, today: date) -> None:
    """Look, in the sums alone, for what people did more than usual, and let go of what is long past."""
    await conn.execute("delete from habits where day < $1", today - KEPT)
    await conn.execute("delete from spotted")
    await conn.execute(_USES, today, f"{USES}%")
    await conn.execute(_HELP, today, HELP, HELP_TIMES)


async def spotted(conn: Connection, today: date) -> list[Spotted]:
    """What was spotted, and contracts that renew soon."""
    rows: Iterable[Mapping[str, object]] = await conn.fetch(
        "select habit, people, accounts, of_people, days, times, usual from spotted order by habit"
    )
    found = [Spotted(**row) for row in rows]  # type: ignore[arg-type]  # the table's own columns
    renewing = await conn.fetchrow(_RENEWALS, today)
    if renewing and renewing["accounts"]:
        people = renewing["people"]
        found.append(Spotted("renewal", people, renewing["accounts"], people, 60, 1))
    return found


async def set_aside(conn: Connection, key: str, told: SetAside) -> None:
    """Remember that an operator does not want to ask about a moment; the first word stands."""
    await conn.execute(
        "insert into moments_set_aside (key, by, at) values ($1, $2, $3) on conflict (key) do nothing",
        key,
        told.by,
        told.at,
    )


async def offer_again(conn: Connection, key: str) -> None:
    """Forget that a moment was set aside."""
    await conn.execute("delete from moments_set_aside where key = $1", key)


async def set_asides(conn: Connection) -> dict[str, SetAside]:
    """All moments that were set aside."""
    rows = await conn.fetch("select key, by, at from moments_set_aside")
    return {row["key"]: SetAside(row["by"], row["at"]) for row in rows}
