"""Mails that are about no case: one row each, handed over under a lease.

A table of them has `id`, `state`, `attempts`, `detail`, `lease`, `next_at` and `leased_until`, the last
two in machine time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import asyncpg

from shared.db.database import Connection


class Mails(StrEnum):
    """The tables."""

    GAPS = "gap_warnings"
    REPORTS = "monthly_reports"
    FINDINGS = "finding_mails"


async def claim(
    conn: Connection, mails: Mails, lease: UUID, wall: datetime, *, hold: timedelta, limit: int
) -> list[asyncpg.Record]:
    """Take mails that are due, or whose last holder vanished while handing over."""
    rows: list[asyncpg.Record] = await conn.fetch(
        f"""
        update {mails} set lease = $1, leased_until = $2, attempts = attempts + 1
        where id in (
            select id from {mails} where state = 'pending' and coalesce(leased_until, next_at) <= $3
            order by coalesce(leased_until, next_at), id limit $4 for update skip locked)
        returning *
        """,  # noqa: S608 - a table of our own
        lease,
        wall + hold,
        wall,
        limit,
    )
    return rows


async def record(
    conn: Connection, mails: Mails, mail_id: UUID, lease: UUID, end: tuple[str, str, datetime | None]
) -> bool:
    """Write what became of one: state, why, when it is tried again; False when somebody else has it."""
    state, detail, next_at = end
    mine = await conn.fetchval(
        f"""
        update {mails} set state = $3, detail = $4, next_at = coalesce($5, next_at), lease = null,
            leased_until = null
        where id = $1 and lease = $2 returning true
        """,  # noqa: S608 - a table of our own
        mail_id,
        lease,
        state,
        detail[:500],
        next_at,
    )
    return bool(mine)
