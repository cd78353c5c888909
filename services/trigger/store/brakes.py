"""What makes plans wait from outside: the operator's brake, and holds by open tickets and incidents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.trigger.domain.facts import Brakes
from services.trigger.domain.model import Hold
from services.trigger.store.rows import dump
from shared.db.database import Connection

_HOLDS = """
insert into holds
select * from jsonb_populate_recordset(null::holds, $1::text::jsonb) order by kind, ref, holder
on conflict (kind, ref, holder) do update set version = excluded.version, active = excluded.active,
    contact_id = excluded.contact_id, account_id = excluded.account_id
where holds.version < excluded.version
"""
_ALL_OVER = """
update holds set active = false, version = over.version
from unnest($1::text[], $2::uuid[], $3::bigint[]) as over (kind, account_id, version)
where holds.active and holds.kind = over.kind and holds.account_id = over.account_id
  and holds.contact_id is null and holds.version < over.version
"""
_WAITING = """
select programme, waits_for, sum(plans)::bigint as n from waiting_plans
group by 1, 2 having sum(plans) <> 0 order by 1, 2
"""
# Rows that somebody else folds at the same time are left to them; every snapshot adds up to the same.
_ADD_UP = """
with picked as (
    select id from waiting_plans order by id limit 20000 for update skip locked
), gone as (
    delete from waiting_plans w using picked where w.id = picked.id returning programme, waits_for, plans
)
insert into waiting_plans (programme, waits_for, plans)
select programme, waits_for, sum(plans) from gone group by 1, 2 having sum(plans) <> 0
"""


@dataclass(frozen=True, slots=True)
class Brake:
    """One brake that an operator set: `scope` all, programme or account; `subject` which one."""

    scope: str
    subject: str
    set_at: datetime
    set_by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class HoldChange:
    """A hold that begins or ends; the newest version counts.

    `every`: it ends all of its kind that the account has.
    """

    kind: str
    ref: str
    holder: str
    contact_id: UUID | None
    account_id: UUID | None
    version: int
    active: bool
    every: bool = False


async def brakes(conn: Connection, *, held: bool = False) -> list[Brake]:
    """All brakes that are set; with `held` none of them is released until this transaction ends."""
    lock = "for key share" if held else ""
    rows = await conn.fetch(f"select * from brakes order by scope, subject {lock}")  # noqa: S608 - a constant
    return [Brake(**row) for row in rows]


async def brakes_now(conn: Connection, *, held: bool = False) -> Brakes:
    """All brakes that are set, for the gate.

    Whoever lets something wait for one holds it, so that its release finds what waits.
    """
    found = await brakes(conn, held=held)
    return Brakes(
        any(b.scope == "all" for b in found),
        frozenset(b.subject for b in found if b.scope == "programme"),
        frozenset(UUID(b.subject) for b in found if b.scope == "account"),
    )


async def set_brake(conn: Connection, brake: Brake) -> bool:
    """Set a brake; False when it was set already."""
    done = await conn.execute(
        "insert into brakes (scope, subject, set_at, set_by, note) values ($1, $2, $3, $4, $5) "
        "on conflict do nothing",
        brake.scope,
        brake.subject,
        brake.set_at,
        brake.set_by,
        brake.note,
    )
    return done == "INSERT 0 1"


async def release_brake(conn: Connection, scope: str, subject: str) -> bool:
    """Release a brake; False when none was set."""
    return (
        await conn.execute("delete from brakes where scope = $1 and subject = $2", scope, subject)
        == "DELETE 1"
    )


async def waiting(conn: Connection) -> list[tuple[str, str, int]]:
    """What waits at present: programme, reason ("" = not yet due), number of plans.

    Read from counts that are kept as plans change, so it costs the same however many plans there are.
    """
    rows = await conn.fetch(_WAITING)
    return [(row["programme"], row["waits_for"], row["n"]) for row in rows]


async def add_up(conn: Connection) -> int:
    """Fold counts of what waits into one row each; returns how many rows were folded."""
    return int((await conn.execute(_ADD_UP)).rpartition(" ")[2])


async def holds_on(conn: Connection, contacts: Sequence[UUID], accounts: Sequence[UUID]) -> list[Hold]:
    """Holds on people and on whole accounts."""
    rows = await conn.fetch(
        "select kind, ref, contact_id, account_id from holds "
        "where active and (contact_id = any($1) or (contact_id is null and account_id = any($2))) "
        "order by kind, ref",
        contacts,
        accounts,
    )
    return [Hold(row["kind"], row["ref"], row["contact_id"], row["account_id"]) for row in rows]


async def save_holds(conn: Connection, changes: Sequence[HoldChange]) -> None:
    """Write holds; one change per kind, ref and holder."""
    if changes:
        await conn.execute(_HOLDS, dump(changes))
    if over := [change for change in changes if change.every]:
        await conn.execute(
            _ALL_OVER,
            [change.kind for change in over],
            [change.account_id for change in over],
            [change.version for change in over],
        )
