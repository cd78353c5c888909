"""Swaps of shifts, offered and agreed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from services.alerts.domain.swaps import Stretch, Swap, SwapState
from shared.db.database import Connection


async def to_come(conn: Connection, since: datetime) -> list[Swap]:
    """Swaps on offer or agreed, of which a shift ends after `since`, the soonest first."""
    rows = await conn.fetch(
        """
        select * from swaps
        where greatest(given_ends_at, taken_ends_at) > $1 and state in ('offered', 'agreed')
        order by least(given_starts_at, taken_starts_at), id
        """,
        since,
    )
    return [_swap(row) for row in rows]


async def lock(conn: Connection, swap_id: UUID) -> Swap | None:
    """One swap, kept from others until the transaction ends."""
    row = await conn.fetchrow("select * from swaps where id = $1 for update", swap_id)
    return _swap(row) if row else None


async def save(conn: Connection, swap: Swap) -> None:
    """Write a swap as it is now."""
    await conn.execute(
        """
        insert into swaps (id, team, asker, partner, given_starts_at, given_ends_at, taken_starts_at,
            taken_ends_at, asked_at, state, ended_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (id) do update set state = excluded.state, ended_at = excluded.ended_at
        """,
        swap.id,
        swap.team,
        swap.asker,
        swap.partner,
        swap.given.starts_at,
        swap.given.ends_at,
        swap.taken.starts_at,
        swap.taken.ends_at,
        swap.asked_at,
        swap.state.value,
        swap.ended_at,
    )


async def drop_overrides(conn: Connection, swap_ids: Sequence[UUID]) -> None:
    """Take the overrides of swaps out of the rota again."""
    await conn.execute("delete from rota_overrides where swap = any($1)", list(swap_ids))


async def lock_rotas(conn: Connection) -> None:
    """Let nobody else change who stands in for whom until the transaction ends."""
    await conn.execute("lock table rota_overrides in share row exclusive mode")


def _swap(row: asyncpg.Record) -> Swap:
    return Swap(
        id=row["id"],
        team=row["team"],
        asker=row["asker"],
        partner=row["partner"],
        given=Stretch(row["given_starts_at"], row["given_ends_at"]),
        taken=Stretch(row["taken_starts_at"], row["taken_ends_at"]),
        asked_at=row["asked_at"],
        state=SwapState(row["state"]),
        ended_at=row["ended_at"],
    )
