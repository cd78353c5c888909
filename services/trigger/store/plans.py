"""Plans: rows with a due time, claimed in batches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.trigger.domain.facts import Rival
from services.trigger.domain.model import Plan
from services.trigger.domain.programme import Edition, Quarantine
from services.trigger.store.rows import dump, plan_of
from shared.contracts.model import Family, Persona
from shared.contracts.reasons import Reason
from shared.db.database import Connection

COLUMNS = (
    "id, programme, version, subject, occurrence, contact_id, account_id, moment::text as moment, "
    "first_due_at, due_at, stale_at, state, reason, waits_for, priority, event_id, shadow"
)
_DUE = """
select ctid as place, id, contact_id, account_id, due_at from plans
where state = 'pending' and due_at <= $1 and due_at >= coalesce($3::timestamptz, '-infinity')
order by due_at limit $2
"""
_CLAIM = f"""
select {COLUMNS} from plans
where ctid = any($1::tid[]) and state = 'pending' and due_at <= $2
order by id for no key update skip locked
"""  # noqa: S608 - a constant
_ABOUT = f"""
select {COLUMNS} from plans where subject = any($1) and programme = any($2) order by id
"""  # noqa: S608 - a constant
# One statement, so that all are locked in one order; rows of accounts are locked before.
_ABOUT_AND_OF = f"""
select {COLUMNS} from plans where (subject = any($1) and programme = any($2)) or id = any(array(
    select id from plans where account_id = any($3) and programme = any($2) and state = 'pending'
    union all
    select plan_id from asks where account_id = any($3) and programme = any($2) and closed_at is null
)) order by id for no key update
"""  # noqa: S608 - a constant
_SAVE = """
insert into plans select * from jsonb_populate_recordset(null::plans, $1::text::jsonb) order by id
on conflict (id) do update set
    version = excluded.version, moment = excluded.moment, first_due_at = excluded.first_due_at,
    due_at = excluded.due_at, stale_at = excluded.stale_at, state = excluded.state, reason = excluded.reason,
    waits_for = excluded.waits_for, priority = excluded.priority, event_id = excluded.event_id,
    account_id = excluded.account_id
"""
_SETTLE = """
update plans set
    state = fresh.state, reason = fresh.reason, waits_for = fresh.waits_for, due_at = fresh.due_at
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
    as fresh (id, state, reason, waits_for, due_at)
where plans.id = fresh.id
"""
_INSERT = """
insert into plans select * from jsonb_populate_recordset(null::plans, $1::text::jsonb) order by id
on conflict do nothing returning id
"""
_WAKE = """
update plans set due_at = greatest(first_due_at, $1) where id in (
    select id from plans
    where state = 'pending' and waits_for = any($2) and due_at > $1
      and ($3::uuid[] is null or contact_id = any($3)) and ($4::uuid[] is null or account_id = any($4))
      and ($5::text is null or programme = $5)
    order by id for no key update
)
"""
_RIVALS = """
select p.id, p.programme, p.contact_id, p.priority, p.due_at, e.definition->>'quarantine' as quarantine,
    e.definition->>'family' as family, e.definition->>'consent' = 'opt_in' as opt_in
from plans p join editions e on e.programme = p.programme and e.version = p.version
join programmes g on g.key = p.programme and g.state = 'active'
where p.contact_id = any($1) and p.state = 'pending' and p.due_at < $2 and p.shadow is not true
  and coalesce(p.waits_for, '') not in ('paused', 'held')
  and not exists (select from brakes b where b.scope = 'programme' and b.subject = p.programme)
"""
_ABROAD = "((moment->>'subject_kind') || ':' || (moment->>'subject_id'))"
AUDIENCES = f"""
select {COLUMNS} from plans
where account_id = any($1) and contact_id is null and state = 'pending' and due_at < $2
  and shadow is not true
union all
select {COLUMNS} from plans
where account_id is null and contact_id is null and state = 'pending' and due_at < $2
  and shadow is not true
union all
select {COLUMNS} from plans
where {_ABROAD} = any(array(
    select subject from participants
    where contact_id = any($3) and (subject like 'project:%' or subject like 'contract:%')
)) and moment->>'subject_kind' in ('project', 'contract') and contact_id is null and state = 'pending'
  and account_id is not null and account_id <> all($1) and due_at < $2 and shadow is not true
order by id
"""  # noqa: S608 - a constant
AHEAD = f"""
with ahead as materialized (
    select {COLUMNS} from plans
    where account_id = any($1) and programme = any($2) and state = 'pending' and due_at < $3
    union all
    select {COLUMNS} from plans
    where account_id is null and contact_id is null and programme = any($2) and state = 'pending'
      and due_at < $3
)
select ahead.* from ahead left join contacts c on c.id = ahead.contact_id
where ahead.contact_id is null or c.persona = any($4) order by ahead.id
"""  # noqa: S608 - a constant
_OVER = """
over as (
    select g.key, g.state, m.shadow,
        case when g.definition->>'state' = 'archived' then 'archived' else 'gone' end as file
    from programmes g cross join (values (true), (false)) as m (shadow)
    where g.state = 'archived' or (g.state = 'shadow') <> m.shadow
)"""
_ENDING = f"""
with {_OVER}
select p.id, p.contact_id, p.account_id from over cross join lateral (
    select id, contact_id, account_id from plans p
    where p.programme = over.key and (p.shadow is true) = over.shadow and p.state = 'pending'
    limit $1
) p
"""  # noqa: S608 - a constant
_STOP = f"""
with {_OVER}, page as (
    select p.id, over.state, over.file from plans p
    join over on p.programme = over.key and (p.shadow is true) = over.shadow
    where p.id = any($2) and p.state = 'pending'
    order by p.id for no key update of p
), stopped as (
    update plans set
        state = 'cancelled', waits_for = null,
        reason = case when page.state = 'archived' then 'programme_archived' else 'shadow' end
    from page where plans.id = page.id
    returning plans.*, page.state as programme_state, page.file
), told as (
    insert into decisions (at, event_id, programme, version, plan_id, contact_id, account_id, step, outcome,
        reason, inputs, shadow)
    select $1, event_id, programme, version, id, contact_id, account_id, 0, 'cancelled', reason,
        case when reason = 'programme_archived' then jsonb_build_object('file', file)
            when shadow then jsonb_build_object('why', 'it was planned in shadow, and the programme runs now')
            else jsonb_build_object('why', 'the programme went into shadow') end,
        shadow is true
    from stopped
)
select reason, contact_id, account_id, shadow is true as shadow from stopped
"""  # noqa: S608 - a constant
_OUTDATED = f"""
select {COLUMNS} from plans
where programme = $1 and (shadow is true) = $5 and state = 'pending' and version <> $2
  and ($3::uuid is null or id > $3)
order by id limit $4
"""  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True)
class Due:
    """A plan that is due, where its row lies, and whose rows to lock before it is claimed."""

    place: tuple[int, int]
    id: UUID
    contact_id: UUID | None
    account_id: UUID | None
    due_at: datetime


async def due_plans(conn: Connection, now: datetime, limit: int, since: datetime | None = None) -> list[Due]:
    """Plans that are due, oldest first, not locked; with `since` those due before it are not looked for."""
    return [Due(**row) for row in await conn.fetch(_DUE, now, limit, since)]


async def claim_plans(conn: Connection, due: Sequence[Due], now: datetime) -> list[Plan]:
    """Lock those of the plans that still lie where they were, are still due and held by nobody else.

    Rows are found by their place: among millions of plans the way over the key costs most of a claim. A place
    may have gone to another plan meanwhile; that one is left alone.
    """
    meant = {one.id for one in due}
    rows = await conn.fetch(_CLAIM, [one.place for one in due], now)
    return [plan_of(row) for row in rows if row["id"] in meant]


async def lock_plans_about(
    conn: Connection, subjects: Iterable[str], programmes: Iterable[str], accounts: Collection[UUID] = ()
) -> list[Plan]:
    """Lock the plans of programmes about subjects, in id order.

    Of `accounts` also all that wait, or of which a survey is open, whatever they are about.
    """
    wanted = sorted(set(subjects)), sorted(set(programmes))
    if accounts:
        return [plan_of(row) for row in await conn.fetch(_ABOUT_AND_OF, *wanted, sorted(accounts))]
    return [plan_of(row) for row in await conn.fetch(f"{_ABOUT} for no key update", *wanted)]


async def plans_about(conn: Connection, subjects: Iterable[str], programmes: Iterable[str]) -> list[Plan]:
    """The plans of programmes about subjects, in id order, not locked."""
    rows = await conn.fetch(_ABOUT, sorted(set(subjects)), sorted(set(programmes)))
    return [plan_of(row) for row in rows]


async def save_plans(conn: Connection, plans: Iterable[Plan]) -> None:
    """Write new plans and those whose rows are locked."""
    if rows := list(plans):
        await conn.execute(_SAVE, dump(rows))


async def settle_plans(conn: Connection, plans: Sequence[Plan]) -> None:
    """Write what became of plans whose rows are locked: state, reasons and when they are looked at next."""
    await conn.execute(
        _SETTLE,
        [plan.id for plan in plans],
        [plan.state for plan in plans],
        [plan.reason for plan in plans],
        [plan.waits_for for plan in plans],
        [plan.due_at for plan in plans],
    )


async def insert_plans(conn: Connection, plans: Sequence[Plan]) -> set[UUID]:
    """Write plans that are new; returns which ones were."""
    return {row["id"] for row in await conn.fetch(_INSERT, dump(plans))} if plans else set()


async def wake_plans(
    conn: Connection,
    now: datetime,
    reasons: Sequence[Reason],
    *,
    contacts: Sequence[UUID] | None = None,
    accounts: Sequence[UUID] | None = None,
    programme: str | None = None,
) -> int:
    """Let deferred plans pass the gate again now, because what they waited for is over; returns how many."""
    done = await conn.execute(_WAKE, now, list(reasons), contacts, accounts, programme)
    return int(done.rpartition(" ")[2])


async def rivals_of(conn: Connection, contacts: Sequence[UUID], until: datetime) -> dict[UUID, list[Rival]]:
    """Pending plans of people that come due before `until`.

    With the rules of the edition they were made with.

    Those of programmes that are paused, archived or in shadow do not count, nor those that wait for a brake
    or a hold.
    """
    rows = await conn.fetch(_RIVALS, contacts, until)
    found: dict[UUID, list[Rival]] = {}
    for row in rows:
        rules = Quarantine.model_validate_json(row["quarantine"] or "{}")
        rival = Rival(
            row["id"], row["programme"], row["priority"], row["due_at"], rules.contact,
            exempt=rules.exempt, family=Family(row["family"]), apart=rules.family,
            opt_in=bool(row["opt_in"]),
        )  # fmt: skip
        found.setdefault(row["contact_id"], []).append(rival)
    return found


async def audiences_of(
    conn: Connection, accounts: Sequence[UUID], contacts: Sequence[UUID], until: datetime
) -> list[Plan]:
    """Plans for people who are not yet known by name, due before `until`.

    Of accounts; of others, about a project or contract in which some of the contacts take part; and of no
    account in particular, as after the release of a product. Those in shadow not.
    """
    return [plan_of(row) for row in await conn.fetch(AUDIENCES, accounts, until, contacts)]


async def plans_ahead(
    conn: Connection,
    accounts: Sequence[UUID],
    programmes: Sequence[str],
    until: datetime,
    personas: Sequence[Persona],
) -> list[Plan]:
    """Pending plans of programmes at accounts that come due before `until`, also those in shadow.

    For people of some personas, and for audiences that are not yet resolved; also for those of no account in
    particular.
    """
    rows = await conn.fetch(AHEAD, accounts, programmes, until, list(personas))
    return [plan_of(row) for row in rows]


async def pending_plans_of(conn: Connection, contacts: Sequence[UUID]) -> list[Plan]:
    """Lock what is still planned for people."""
    query = f"""
        select {COLUMNS} from plans where contact_id = any($1) and state = 'pending'
        order by id for no key update
    """  # noqa: S608 - a constant
    return [plan_of(row) for row in await conn.fetch(query, contacts)]


@dataclass(frozen=True, slots=True)
class Stopped:
    """A plan that ended because its programme was ended or changed between shadow and live."""

    reason: Reason
    contact_id: UUID | None
    account_id: UUID | None
    shadow: bool


@dataclass(frozen=True, slots=True)
class Ending:
    """A plan that waits in vain, and whose rows to lock before it is called off."""

    id: UUID
    contact_id: UUID | None
    account_id: UUID | None


async def ending_plans(conn: Connection, limit: int) -> list[Ending]:
    """What waits of programmes that were archived, or that went live from shadow or the other way.

    At most `limit` plans of each such programme; nothing is locked.
    """
    return [Ending(*row) for row in await conn.fetch(_ENDING, limit)]


async def stop_plans(conn: Connection, now: datetime, ids: Sequence[UUID]) -> list[Stopped]:
    """Call off those of these plans that still wait in vain, with their lines in the ledger."""
    rows = await conn.fetch(_STOP, now, ids)
    return [
        Stopped(Reason(row["reason"]), row["contact_id"], row["account_id"], row["shadow"]) for row in rows
    ]


async def waiting_editions(conn: Connection, programme: str) -> dict[str, int]:
    """How many plans of a programme wait, by the version of the edition they were made with."""
    rows = await conn.fetch(
        "select version, count(*) as n from plans where state = 'pending' and programme = $1 group by 1",
        programme,
    )
    return {row["version"]: row["n"] for row in rows}


async def waiting_of_old(conn: Connection) -> dict[str, int]:
    """How many plans wait that were made with an edition that is no longer the newest, by programme."""
    rows = await conn.fetch(
        "select p.programme, count(*) as n from plans p "
        "join programmes g on g.key = p.programme and g.version <> p.version "
        "where p.state = 'pending' group by 1"
    )
    return {row["programme"]: row["n"] for row in rows}


async def outdated_plans(
    conn: Connection, edition: Edition, after: UUID | None, limit: int, *, lock: bool
) -> list[Plan]:
    """A page of what waits of a programme and was not made with this edition, in id order.

    With `lock` the plans that nobody else holds, locked.
    """
    query = _OUTDATED + ("for no key update skip locked" if lock else "")
    return [
        plan_of(row)
        for row in await conn.fetch(query, edition.key, edition.version, after, limit, edition.shadow)
    ]


async def pending_plans_of_account(conn: Connection, account_id: UUID) -> list[Plan]:
    """Lock what is still planned for an account and its people."""
    query = f"""
        select {COLUMNS} from plans where account_id = $1 and state = 'pending'
        order by id for no key update
    """  # noqa: S608 - a constant
    return [plan_of(row) for row in await conn.fetch(query, account_id)]
