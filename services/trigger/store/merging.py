"""Everything that names a person, led from former ids to the one that stays; and suspected duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.trigger.domain.model import Plan
from services.trigger.store import consents
from services.trigger.store.plans import COLUMNS
from services.trigger.store.rows import dump, plan_of
from shared.db.database import Connection

_PLANS = f"""
select {COLUMNS} from plans where contact_id = any($1) order by id for no key update
"""  # noqa: S608 - a constant
_MOVE_PLANS = """
update plans p set contact_id = m.contact_id, account_id = m.account_id, subject = m.subject,
    state = m.state, reason = m.reason
from jsonb_populate_recordset(null::plans, $1::text::jsonb) as m where p.id = m.id
"""
_REPOINT = (
    "update aliases set contact_id = $2 where contact_id = any($1)",
    "update asks set contact_id = $2 where contact_id = any($1)",
    "update shadow_asks set contact_id = $2 where contact_id = any($1)",
    "update invitations set contact_id = $2 where contact_id = any($1)",
    "update holds set contact_id = $2 where contact_id = any($1)",
    "update contacts set merged_into = $2 where merged_into = any($1)",
    """
    insert into participants (subject, contact_id, role, seen_at)
    select distinct on (subject) subject, $2, role, seen_at from participants where contact_id = any($1)
    order by subject, seen_at desc
    on conflict (subject, contact_id) do update set
        role = case when participants.role = '' then excluded.role else participants.role end,
        seen_at = greatest(participants.seen_at, excluded.seen_at)
    """,
    "delete from participants where contact_id = any($1) and contact_id <> $2",
    """
    insert into habits (contact_id, habit, day, account_id, times)
    select $2, habit, day, (array_agg(account_id))[1], sum(times) from habits where contact_id = any($1)
    group by habit, day
    on conflict (contact_id, habit, day) do update set times = habits.times + excluded.times
    """,
    "delete from habits where contact_id = any($1) and contact_id <> $2",
    """
    insert into tallies (programme, subject, seen)
    select programme, 'contact:' || $2::uuid::text, sum(seen) from tallies
    where subject = any (select 'contact:' || gone::text from unnest($1::uuid[]) as gone) group by programme
    on conflict (programme, subject) do update set seen = tallies.seen + excluded.seen
    """,
    """
    delete from tallies where $2::uuid is not null
      and subject = any (select 'contact:' || gone::text from unnest($1::uuid[]) as gone)
    """,
    """
    delete from suspected where (one = any($1) or other = any($1)) and state = 'open' and $2::uuid is not null
    """,
)
_SUSPECT = """
insert into suspected (one, other, why, seen_at)
select least(a, b), greatest(a, b), why, $4
from unnest($1::uuid[], $2::uuid[], $3::text[]) as pairs (a, b, why)
on conflict (one, other) do nothing
"""
_OPEN = """
select one, other, why, seen_at from suspected s where state = 'open' and not exists (
    select from contacts c where c.id in (s.one, s.other) and c.erased_at is not null
) order by seen_at desc, one limit $1
"""
_SETTLE = """
update suspected set state = $3, settled_at = $4, by = $5
where one = least($1::uuid, $2::uuid) and other = greatest($1::uuid, $2::uuid) and state = 'open'
"""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Two entries that may be one person, and why."""

    one: UUID
    other: UUID
    why: str
    seen_at: datetime


async def lock_all_plans(conn: Connection, contacts: Sequence[UUID]) -> list[Plan]:
    """Lock everything that was ever planned for people."""
    return [plan_of(row) for row in await conn.fetch(_PLANS, list(contacts))]


async def repoint(conn: Connection, gone: Sequence[UUID], survivor: UUID, plans: Sequence[Plan]) -> None:
    """Lead everything from former ids to the one that stays."""
    await move_plans(conn, plans)
    for statement in _REPOINT:
        await conn.execute(statement, list(gone), survivor)
    await consents.move(conn, gone, survivor)


async def move_plans(conn: Connection, plans: Sequence[Plan]) -> None:
    """Write plans as those of whoever has them now; their rows are locked."""
    if plans:
        await conn.execute(_MOVE_PLANS, dump(plans))


async def suspect(conn: Connection, pairs: Sequence[tuple[UUID, UUID, str]], at: datetime) -> None:
    """Remember that two entries may be one person; those that were told apart stay so."""
    if pairs:
        await conn.execute(_SUSPECT, *(list(part) for part in zip(*pairs, strict=True)), at)


async def suspicions(conn: Connection, limit: int) -> list[Suspicion]:
    """Whom an operator should look at, newest first."""
    return [Suspicion(**dict(row)) for row in await conn.fetch(_OPEN, limit)]


async def settle_suspicion(
    conn: Connection, pair: tuple[UUID, UUID], state: str, *, at: datetime, by: str
) -> bool:
    """Note what an operator found; False when nothing was open."""
    return await conn.execute(_SETTLE, *pair, state, at, by) == "UPDATE 1"
