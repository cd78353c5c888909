"""Warnings of gaps in a rota: one mail for each gap and recipient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg

from shared.db.database import Connection

State = Literal["pending", "sent", "failed"]


@dataclass(frozen=True, slots=True)
class Warned:
    """Somebody who is to know of a gap."""

    id: UUID
    team: str
    recipient: UUID
    starts_at: datetime
    ends_at: datetime
    why: str
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """A warning and what became of it; `detail` is why the last try failed."""

    warned: Warned
    warned_at: datetime
    state: State
    detail: str


async def listed(
    conn: Connection, now: datetime, *, team: str | None = None, state: str = "", limit: int = 100
) -> list[Kept]:
    """Warnings of gaps that are not over, the next gap first; of one team, in one state."""
    rows = await conn.fetch(
        """
        select id, team, recipient, starts_at, ends_at, why, attempts, warned_at, state, detail
        from gap_warnings
        where ends_at > $1 and ($2::text is null or team = $2) and ($3 = '' or state = $3)
        order by starts_at, team, warned_at, id limit $4
        """,
        now,
        team,
        state,
        limit,
    )
    return [Kept(Warned(*tuple(row)[:7]), row["warned_at"], row["state"], row["detail"]) for row in rows]


async def unheard(conn: Connection, now: datetime) -> list[tuple[str, datetime, datetime]]:
    """Team, begin and end of gaps to come of which nobody could be told by mail."""
    rows = await conn.fetch(
        """
        select team, starts_at, max(ends_at) as ends_at from gap_warnings
        where ends_at > $1 group by team, starts_at
        having bool_or(state = 'failed') and not bool_or(state = 'sent') order by starts_at, team
        """,
        now,
    )
    return [(row["team"], row["starts_at"], row["ends_at"]) for row in rows]


async def add(conn: Connection, warnings: Sequence[Warned], now: datetime, wall: datetime) -> int:
    """Note whom to warn of what; who knows of a gap that overlaps is left alone. Returns how many are new."""
    if not warnings:
        return 0
    rows = [(w.id, w.team, w.recipient, w.starts_at, w.ends_at, w.why) for w in warnings]
    found = await conn.fetch(
        """
        insert into gap_warnings (id, team, recipient, starts_at, ends_at, why, warned_at, next_at)
        select n.*, $7, $8
        from unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::text[])
            as n (id, team, recipient, starts_at, ends_at, why)
        where not exists (
            select from gap_warnings k
            where k.team = n.team and k.recipient = n.recipient and k.starts_at < n.ends_at
                and k.ends_at > n.starts_at)
        on conflict do nothing returning id
        """,
        *map(list, zip(*rows, strict=True)),
        now,
        wall,
    )
    return len(found)


def planned(row: asyncpg.Record) -> Warned:
    """A warning that was taken to be sent."""
    names = ("id", "team", "recipient", "starts_at", "ends_at", "why", "attempts")
    return Warned(*(row[name] for name in names))
