"""Records in CRMs: whose they are, what they hold, what is due; waits and leases are machine time."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

from services.scoring.domain.crm import Figures, Kind
from services.scoring.store.stretches import stretch
from shared.db.database import Connection

Pairs = Sequence[tuple[str, Kind]]
"""Partners, each with a kind of records that it holds."""

# A row that is there comes due; a new one only for who was heard: of others there is nothing to write.
_ENLIST = """
insert into crm_records (target, kind, id, next_at)
select t.target, s.kind, s.id, $3::timestamptz from subjects s
join unnest($1::text[], $2::text[]) as t (target, kind) on t.kind = s.kind
order by 1, 2, 3
on conflict (target, kind, id) do update set next_at = {again}, woken = crm_records.lease is not null
"""
_HEARD = """
(s.kind = 'contact' and exists (select from answer_facts f where f.contact_id = s.id)
or s.kind = 'account' and exists (select from answer_facts f where f.account_id = s.id))
"""
_PLAN = f"""
with taken as (
    delete from crm_touched where ctid = any (array(
        select ctid from crm_touched limit $4 for update skip locked))
    returning kind, id
), subjects as (
    select distinct s.kind, coalesce(m.id, s.id) as id from taken s left join merged m on m.former = s.id
    where not exists (select from erased_contacts e where e.contact_id = s.id)
        and ({_HEARD} or exists (select from crm_records r where r.id = s.id))
    union select s.kind, s.id from taken s join crm_records r on r.id = s.id and r.kind = s.kind
), enlisted as ({_ENLIST.format(again="least(crm_records.next_at, excluded.next_at)")})
select count(*) from taken
"""  # noqa: S608 - texts of this module
_OF_DAY = """
insert into crm_sweeps (target, kind, day, last)
select target, kind, $3::date, $4::uuid from unnest($1::text[], $2::text[]) as t (target, kind) order by 1, 2
on conflict (target, kind) do update set day = excluded.day, last = excluded.last
where crm_sweeps.day < excluded.day
"""
_SWEEP = """
select target, kind, last from crm_sweeps
where last is not null and (target, kind) in (select * from unnest($1::text[], $2::text[]))
order by target, kind limit 1 for update skip locked
"""
_PAGES = {
    # The next ones of each stretch: the next ones of all are among them.
    Kind.CONTACT: f"""
        select distinct id
        from (select {stretch("min(day)")} as first, {stretch("max(day)")} as last from answer_facts) as ends,
            generate_series(first, last) as n,
            lateral (
                select distinct contact_id as id from answer_facts
                where {stretch("day")} = n and contact_id > $1 order by contact_id limit $2
            ) as next
        order by id limit $2
    """,  # noqa: S608 - texts of ours
    Kind.ACCOUNT: "select account_id as id from accounts where account_id > $1 order by account_id limit $2",
}
# A contact's figures change with its answers alone, an account's with the days too.
_SWEPT = {
    Kind.CONTACT: "crm_records.next_at",
    Kind.ACCOUNT: "least(crm_records.next_at, excluded.next_at)",
}
_ENLIST_PAGE = """
with subjects as (
    select distinct $4::text as kind, coalesce(m.id, s.id) as id
    from (select $4::text as kind, id from unnest($5::uuid[]) as id) s left join merged m on m.former = s.id
    where {heard}
)
{enlist}
"""
_HELD = "select held_until > $3 from crm_troubles where target = $1 and kind = $2"
_CLAIM = """
update crm_records r set lease = $3, leased_until = $5, woken = false
from (
    select target, kind, id from crm_records
    where target = $1 and kind = $2 and next_at is not null and coalesce(leased_until, next_at) <= $4
    order by coalesce(leased_until, next_at), id limit $6 for update skip locked
) due
where (r.target, r.kind, r.id) = (due.target, due.kind, due.id)
returning r.id, r.record, r.written::text, r.attempts,
    r.clearing or exists (select from merged m where m.former = r.id)
"""
_KEEP = """
update crm_records r set record = t.record
from unnest($2::uuid[], $3::text[]) as t (id, record)
where r.lease = $1 and r.id = t.id
"""
_RECORD = """
update crm_records r set record = t.record, state = t.state, reason = t.reason, attempts = t.attempts,
    written = case when r.clearing then '{}' else t.written::jsonb end,
    changed_at = case when t.changed then $3 else r.changed_at end,
    next_at = case when r.woken then $2 else t.next_at end,
    lease = null, leased_until = null, woken = false
from unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::int[], $9::text[], $10::bool[],
    $11::timestamptz[]) as t (id, record, state, reason, attempts, written, changed, next_at)
where r.lease = $1 and r.id = t.id
"""
# Who was merged may have been merged there too, and then what was cleared was the record of who stays.
_DROP = """
with gone as (
    delete from crm_records where lease = $1 and id = any($2::uuid[]) returning target, kind, id
)
update crm_records r set written = '{}', next_at = least(r.next_at, $3), woken = r.lease is not null
from gone g join merged m on m.former = g.id
where (r.target, r.kind, r.id) = (g.target, g.kind, m.id)
"""
_RELEASE = "update crm_records set lease = null, leased_until = null where lease = $1"
_HOLD = """
insert into crm_troubles (target, kind, failures, held_until, trouble)
select $1::text, kind, $3::int, $4::timestamptz, $5::text from unnest($2::text[]) as kind order by 2
on conflict (target, kind) do update set failures = excluded.failures, trouble = excluded.trouble,
    held_until = greatest(crm_troubles.held_until, excluded.held_until)
"""
_WELL = "delete from crm_troubles where target = $1 and kind = $2"
_FAILURES = "select failures from crm_troubles where target = $1 and kind = $2"
_FORGET = """
update crm_records set clearing = true, written = '{}', next_at = to_timestamp(0), woken = lease is not null
where kind = 'contact' and id = any($1::uuid[])
"""
_COUNTED = """
select target, kind, state, count(*) as records, max(changed_at) as changed_at from crm_records
group by target, kind, state order by target, kind, state
"""
_TROUBLES = "select target, kind, failures, held_until, trouble from crm_troubles order by target, kind"
_LISTED = """
select target, kind, id, record, state, reason, attempts, changed_at, clearing, next_at from crm_records
where ($1 = '' or target = $1) and ($2 = '' or kind = $2) and ($3 = '' or state = $3)
    and ($4::uuid is null or id = $4)
    and ($5::text is null or (target, kind, id) > ($5, $6, $7::uuid))
order by target, kind, id limit $8
"""
_AGAIN = """
update crm_records set next_at = least(next_at, $2), attempts = 0, woken = lease is not null
where target = $1 and next_at is not null
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A record to be looked at now.

    Attributes:
        written: what it holds, as far as we wrote it.
        leaving: nothing of ours is to stay there: the person was erased, or is known under another id now.
    """

    id: UUID
    record: str
    written: Figures
    attempts: int
    leaving: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How a record stands after it was looked at; `next_at` None while there is nothing to do."""

    id: UUID
    record: str
    state: str
    reason: str
    attempts: int
    written: Figures
    changed: bool
    next_at: datetime | None


async def touch(conn: Connection, touched: Collection[tuple[Kind, UUID]]) -> None:
    """Note of whom something came in; without a look at who is noted already, so that nobody waits."""
    if touched:
        source = BytesIO("".join(f"{kind}\t{one}\n" for kind, one in touched).encode())
        await conn.copy_to_table("crm_touched", source=source, columns=("kind", "id"))


async def plan(conn: Connection, pairs: Pairs, due: datetime, limit: int) -> int:
    """Have those looked at of whom something came in; returns how many notes there were."""
    return int(await conn.fetchval(_PLAN, *_columns(pairs), due, limit))


async def sweep(conn: Connection, pairs: Pairs, today: date, due: datetime, limit: int) -> int:
    """Have one page of everybody looked at, once a day of business time; returns how many it held.

    So figures that change with the days alone are written, and whoever was heard before there was a CRM.
    """
    await conn.execute(_OF_DAY, *_columns(pairs), today, UUID(int=0))
    row = await conn.fetchrow(_SWEEP, *_columns(pairs))
    if row is None:
        return 0
    target, kind = row["target"], Kind(row["kind"])
    ids = [one["id"] for one in await conn.fetch(_PAGES[kind], row["last"], limit)]
    if ids:
        enlist = _ENLIST_PAGE.format(heard=_HEARD, enlist=_ENLIST.format(again=_SWEPT[kind]))
        await conn.execute(enlist, [target], [kind.value], due, kind.value, ids)
    last = ids[-1] if len(ids) == limit else None
    await conn.execute(
        "update crm_sweeps set last = $3 where target = $1 and kind = $2", target, kind.value, last
    )
    return len(ids)


async def held(conn: Connection, target: str, kind: Kind, wall: datetime) -> bool:
    """Whether a partner is to be left alone now."""
    return bool(await conn.fetchval(_HELD, target, kind, wall))


async def claim(
    conn: Connection, of: tuple[str, Kind], lease: UUID, wall: datetime, hold: timedelta, limit: int
) -> list[Claimed]:
    """Take records of a partner and kind that are due, or whose last holder vanished."""
    rows = await conn.fetch(_CLAIM, *of, lease, wall, wall + hold, limit)
    return [
        Claimed(one, record, json.loads(written), attempts, leaving)
        for one, record, written, attempts, leaving in map(tuple, rows)
    ]


async def keep(conn: Connection, lease: UUID, found: Mapping[UUID, str]) -> None:
    """Remember records before anything is written to them, so that an erasure can reach what was written."""
    await conn.execute(_KEEP, lease, list(found), list(found.values()))


async def record(
    conn: Connection, lease: UUID, times: tuple[datetime, datetime], done: Sequence[Standing]
) -> None:
    """Write how records stand, where they are still ours; `times` are machine and business time.

    One of whom something came in meanwhile is due at once.
    """
    rows = [
        (o.id, o.record, o.state, o.reason[:300], o.attempts, json.dumps(o.written), o.changed, o.next_at)
        for o in done
    ]
    if rows:
        await conn.execute(_RECORD, lease, *times, *zip(*rows, strict=True))


async def drop(conn: Connection, lease: UUID, wall: datetime, gone: Sequence[UUID]) -> None:
    """Forget records that hold nothing of ours any more; who stays after a merge is written anew."""
    await conn.execute(_DROP, lease, gone, wall)


async def release(conn: Connection, lease: UUID) -> None:
    """Give back what was taken; it stays due."""
    await conn.execute(_RELEASE, lease)


async def failures(conn: Connection, target: str, kind: Kind) -> int:
    """How often a partner failed in a row."""
    return int(await conn.fetchval(_FAILURES, target, kind) or 0)


async def hold(
    conn: Connection, target: str, kinds: Sequence[Kind], failed: int, until: datetime, trouble: str
) -> None:
    """Leave a partner alone until then, and say why."""
    await conn.execute(_HOLD, target, kinds, failed, until, trouble[:300])


async def well(conn: Connection, target: str, kind: Kind) -> None:
    """The partner answers again."""
    await conn.execute(_WELL, target, kind)


async def forget(conn: Connection, contacts: Sequence[UUID]) -> None:
    """Forget what was written of erased contacts, and have it cleared where it was written."""
    await conn.execute("delete from crm_touched where kind = 'contact' and id = any($1::uuid[])", contacts)
    await conn.execute(_FORGET, contacts)


async def counted(conn: Connection) -> list[dict[str, Any]]:
    """Records of each partner by kind and state."""
    return [dict(row) for row in await conn.fetch(_COUNTED)]


async def troubles(conn: Connection) -> list[dict[str, Any]]:
    """Partners that fail as a whole: how often in a row, why, and until when they are left alone."""
    return [dict(row) for row in await conn.fetch(_TROUBLES)]


async def again(conn: Connection, target: str, wall: datetime) -> int:
    """Have a partner asked again at once, because somebody mended something; returns how many wait."""
    await conn.execute("update crm_troubles set held_until = $2 where target = $1", target, wall)
    done = await conn.execute(_AGAIN, target, wall)
    return int(done.rpartition(" ")[2])


def _columns(pairs: Pairs) -> tuple[list[str], list[str]]:
    return [target for target, _ in pairs], [kind.value for _, kind in pairs]


@dataclass(frozen=True, slots=True)
class After:
    """Where a list of records goes on: behind this one."""

    target: str
    kind: str
    id: UUID


async def listed(
    conn: Connection, wanted: tuple[str, str, str], one: UUID | None, after: After | None, limit: int
) -> list[dict[str, Any]]:
    """Records of a partner, kind and state (each may be empty for all), or of one contact or account."""
    at = (after.target, after.kind, after.id) if after else (None, None, None)
    return [dict(row) for row in await conn.fetch(_LISTED, *wanted, one, *at, limit)]
