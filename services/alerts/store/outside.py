"""Copies of cases in helpdesks: what is known of them, and which are due; times are machine time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.alerts.domain.outside import Known
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Copy:
    """A case's copy; `outside_id` is empty until it was made, `trouble` while all is well."""

    ticket_id: UUID
    helpdesk: str
    outside_id: str
    known: Known
    trouble: str
    attempts: int


async def enlist(
    conn: Connection, ticket_ids: Collection[UUID], helpdesks: Sequence[str], wall: datetime
) -> None:
    """Have cases compared soon, because they changed."""
    if not ticket_ids or not helpdesks:
        return
    await conn.execute(
        """
        insert into outside_cases (ticket_id, helpdesk, next_at)
        select ticket_id, helpdesk, $3
        from unnest($1::uuid[]) as t (ticket_id), unnest($2::text[]) as h (helpdesk)
        order by 1, 2
        on conflict (ticket_id, helpdesk) do update set
            next_at = least(outside_cases.next_at, excluded.next_at), woken = true
        """,
        sorted(ticket_ids),
        list(helpdesks),
        wall,
    )


async def wake(conn: Connection, helpdesk: str, outside_ids: Sequence[str], wall: datetime) -> int:
    """Have copies compared soon, because their helpdesk says that they changed; returns how many are ours."""
    woken = await conn.fetch(
        """
        update outside_cases set next_at = least(next_at, $3), woken = true
        where (helpdesk, ticket_id) in (
            select helpdesk, ticket_id from outside_cases
            where helpdesk = $1 and outside_id <> '' and outside_id = any($2::text[])
            order by ticket_id for update)
        returning ticket_id
        """,
        helpdesk,
        list(outside_ids),
        wall,
    )
    return len(woken)


async def claim(
    conn: Connection, helpdesk: str, lease: UUID, wall: datetime, *, hold: timedelta, limit: int
) -> list[Copy]:
    """Take copies that are to be compared, or whose last holder vanished."""
    rows = await conn.fetch(
        """
        update outside_cases c set lease = $2, leased_until = $3, woken = false, attempts = attempts + 1
        where helpdesk = $1 and ticket_id in (
            select ticket_id from outside_cases
            where helpdesk = $1 and next_at is not null and coalesce(leased_until, next_at) <= $4
            order by coalesce(leased_until, next_at), ticket_id
            limit $5 for update skip locked)
        returning ticket_id, helpdesk, outside_id, solved_here, solved_there, seen, told, trouble, attempts
        """,
        helpdesk,
        lease,
        wall + hold,
        wall,
        limit,
    )
    return [
        Copy(
            row["ticket_id"],
            row["helpdesk"],
            row["outside_id"],
            Known(row["solved_here"], row["solved_there"], frozenset(row["seen"]), frozenset(row["told"])),
            row["trouble"],
            row["attempts"],
        )
        for row in rows
    ]


async def record(conn: Connection, copy: Copy, lease: UUID, wall: datetime, next_at: datetime | None) -> bool:
    """Write how a copy stands; False when somebody else has it by now. One that changed is due at once."""
    found = await conn.fetchval(
        """
        update outside_cases set
            outside_id = $4, solved_here = $5, solved_there = $6, seen = $7, told = $8, trouble = $9,
            attempts = $10, next_at = case when woken then $11 else $12::timestamptz end,
            lease = null, leased_until = null
        where ticket_id = $1 and helpdesk = $2 and lease = $3
        returning true
        """,
        copy.ticket_id,
        copy.helpdesk,
        lease,
        copy.outside_id,
        copy.known.solved_here,
        copy.known.solved_there,
        sorted(copy.known.seen),
        sorted(copy.known.told),
        copy.trouble,
        copy.attempts,
        wall,
        next_at,
    )
    return bool(found)
