"""Whom promoters recommended us to, and what that comes to (R75)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg

from services.alerts.domain.referrals import Referral, ReferralState, Sums
from shared.db.database import Connection


async def one(conn: Connection, task_id: UUID, reference: str) -> Referral | None:
    """The referral of a task by its reference."""
    row = await conn.fetchrow(
        "select * from referrals where task_id = $1 and reference = $2", task_id, reference
    )
    return _read(row) if row else None


async def save(conn: Connection, referral: Referral, who: str) -> None:
    """Write a referral as it is now; `who` is sealed for the promoter."""
    await conn.execute(
        """
        insert into referrals (id, task_id, contact_id, programme, reference, who, state, sent_at, lead_at,
            won_at, lost_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (id) do update set who = excluded.who, state = excluded.state,
            lead_at = excluded.lead_at, won_at = excluded.won_at, lost_at = excluded.lost_at
        """,
        referral.id,
        referral.task_id,
        referral.contact_id,
        referral.programme,
        referral.reference,
        who,
        referral.state.value,
        referral.sent_at,
        referral.lead_at,
        referral.won_at,
        referral.lost_at,
    )


async def of_task(conn: Connection, task_id: UUID) -> list[Referral]:
    """All referrals of a task, the first one first."""
    rows = await conn.fetch("select * from referrals where task_id = $1 order by sent_at, id", task_id)
    return [_read(row) for row in rows]


async def listed(
    conn: Connection, since: datetime | None, limit: int, after: tuple[datetime, UUID] | None = None
) -> list[Referral]:
    """Referrals sent since then, the newest first."""
    rows = await conn.fetch(
        """
        select * from referrals
        where ($1::timestamptz is null or sent_at >= $1)
            and ($2::timestamptz is null or (sent_at, id) < ($2, $3))
        order by sent_at desc, id desc limit $4
        """,
        since,
        *(after or (None, None)),
        limit,
    )
    return [_read(row) for row in rows]


async def sums(conn: Connection, since: datetime | None) -> list[Sums]:
    """What the referrals sent since then come to, by the programme whose answer led to them."""
    rows = await conn.fetch(
        """
        select programme, count(*)::int as sent, count(lead_at)::int as leads, count(won_at)::int as won
        from referrals where $1::timestamptz is null or sent_at >= $1 group by 1 order by 2 desc, 1
        """,
        since,
    )
    return [Sums(**dict(row)) for row in rows]


def _read(row: asyncpg.Record) -> Referral:
    return Referral(
        id=row["id"],
        task_id=row["task_id"],
        contact_id=row["contact_id"],
        programme=row["programme"],
        reference=row["reference"],
        state=ReferralState(row["state"]),
        sent_at=row["sent_at"],
        lead_at=row["lead_at"],
        won_at=row["won_at"],
        lost_at=row["lost_at"],
        who=row["who"],
    )
