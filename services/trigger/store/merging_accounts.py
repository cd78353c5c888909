"""Everything that names a company, led from former accounts to the one that stays."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.trigger.domain.model import Plan
from services.trigger.store.merging import move_plans
from services.trigger.store.plans import COLUMNS
from services.trigger.store.rows import plan_of
from shared.db.database import Connection

_PLANS = f"""
select {COLUMNS} from plans where (state = 'pending' and account_id = any($1)) or subject = any($2)
order by id for no key update
"""  # noqa: S608 - a constant
_GONE = "select gone::text as gone from unnest($1::uuid[]) as gone"
_ABOUT = f"""
    select kind || former.gone as former, kind || $2::uuid::text as now
    from ({_GONE}) as former cross join unnest(array['account:', 'contract:account:']) as kind
"""  # noqa: S608 - a constant
_REPOINT = (
    "update accounts set merged_into = $2 where merged_into = any($1)",
    "update contacts set account_id = $2 where account_id = any($1)",
    "update asks set account_id = $2 where account_id = any($1)",
    "update shadow_asks set account_id = $2 where account_id = any($1)",
    "update invitations set account_id = $2 where account_id = any($1)",
    "update habits set account_id = $2 where account_id = any($1)",
    # Who holds a whole company is named by it, so that what ends the hold finds it.
    """
    insert into holds (kind, ref, holder, account_id, version, active)
    select distinct on (kind, ref) kind, ref, $2::uuid::text, $2, version, active from holds
    where account_id = any($1) and contact_id is null order by kind, ref, version desc
    on conflict (kind, ref, holder) do update set version = excluded.version, active = excluded.active
    where holds.version < excluded.version
    """,
    "delete from holds where account_id = any($1) and contact_id is null and $2::uuid is not null",
    "update holds set account_id = $2 where account_id = any($1)",
    f"""
    insert into brakes (scope, subject, set_at, set_by, note)
    select 'account', $2::uuid::text, set_at, set_by, note from brakes
    where scope = 'account' and subject in ({_GONE}) order by set_at limit 1
    on conflict do nothing
    """,  # noqa: S608 - a constant
    f"""
    delete from brakes where scope = 'account' and subject in ({_GONE}) and $2::uuid is not null
    """,  # noqa: S608 - a constant
    f"""
    insert into participants (subject, contact_id, role, seen_at)
    select distinct on (now, contact_id) now, contact_id, role, seen_at
    from participants join ({_ABOUT}) as about on subject = former order by now, contact_id, seen_at desc
    on conflict (subject, contact_id) do update set
        role = case when participants.role = '' then excluded.role else participants.role end,
        seen_at = greatest(participants.seen_at, excluded.seen_at)
    """,  # noqa: S608 - a constant
    f"delete from participants using ({_ABOUT}) as about where subject = former",  # noqa: S608 - a constant
    f"""
    insert into tallies (programme, subject, seen)
    select programme, now, sum(seen) from tallies join ({_ABOUT}) as about on subject = former group by 1, 2
    on conflict (programme, subject) do update set seen = tallies.seen + excluded.seen
    """,  # noqa: S608 - a constant
    f"delete from tallies using ({_ABOUT}) as about where subject = former",  # noqa: S608 - a constant
)


async def lock_plans(conn: Connection, gone: Sequence[UUID], subjects: Sequence[str]) -> list[Plan]:
    """Lock what people of accounts wait for, and all that was ever planned about subjects."""
    return [plan_of(row) for row in await conn.fetch(_PLANS, list(gone), list(subjects))]


async def repoint(conn: Connection, gone: Sequence[UUID], survivor: UUID, plans: Sequence[Plan]) -> None:
    """Lead everything from former accounts to the one that stays."""
    await move_plans(conn, plans)
    for statement in _REPOINT:
        await conn.execute(statement, list(gone), survivor)
