"""Who gets the report of which month, and what became of each mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from shared.db.database import Connection
from shared.runtime.ids import derive


@dataclass(frozen=True, slots=True)
class Planned:
    """A report for somebody; `detail` is why the last attempt failed."""

    id: UUID
    month: date
    recipient: UUID
    attempts: int = 0
    state: str = "pending"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """How many cases are open, and how many of them are past their time."""

    open: int
    late: int


async def plan(conn: Connection, wanted: Sequence[tuple[date, UUID]], now: datetime, wall: datetime) -> int:
    """Note who is to get which month; whoever has it already is left alone. Returns how many are new."""
    rows = await conn.fetch(
        """
        insert into monthly_reports (id, month, recipient, planned_at, next_at)
        select w.*, $4, $5 from unnest($1::uuid[], $2::date[], $3::uuid[]) as w (id, month, recipient)
        on conflict do nothing returning id
        """,
        [derive("monthly report", month, user_id) for month, user_id in wanted],
        [month for month, _ in wanted],
        [user_id for _, user_id in wanted],
        now,
        wall,
    )
    return len(rows)


async def any_case(conn: Connection, until: datetime) -> bool:
    """Whether there was a case before then: a house that has just begun has nothing to report."""
    found = await conn.fetchval("select exists (select from tickets where opened_at < $1)", until)
    return bool(found)


def planned(row: asyncpg.Record) -> Planned:
    """A report that was taken to be sent."""
    return Planned(row["id"], row["month"], row["recipient"], row["attempts"])


async def newest(conn: Connection) -> list[Planned]:
    """The mails of the newest month that there is a report of."""
    rows = await conn.fetch(
        """
        select id, month, recipient, attempts, state, detail from monthly_reports
        where month = (select max(month) from monthly_reports) order by recipient
        """
    )
    return [Planned(*tuple(row)) for row in rows]


async def load(conn: Connection, team: str | None, now: datetime) -> Load:
    """The open cases of a team, or of all."""
    row = await conn.fetchrow(
        """
        select count(*)::int as open, (count(*) filter (where breach_at < $2))::int as late from tickets
        where state in ('open', 'acknowledged', 'contacted') and ($1::text is null or team = $1)
        """,
        team,
        now,
    )
    return Load(row["open"], row["late"]) if row else Load(0, 0)
