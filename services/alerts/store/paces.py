"""What each channel has been given lately, for all replicas together; times are machine time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Spent:
    """Until when the pace of a channel is used up, and until when its partner asked to be left alone."""

    used_until: datetime
    held_until: datetime


async def lock(conn: Connection, channel: str, wall: datetime) -> Spent:
    """What a channel has spent, kept from others until the transaction ends."""
    row = await conn.fetchrow(
        """
        insert into paces (channel, used_until, held_until) values ($1, $2, $2)
        on conflict (channel) do update set channel = excluded.channel
        returning used_until, held_until
        """,
        channel,
        wall,
    )
    assert row is not None  # noqa: S101 - the statement always returns its row
    return Spent(row["used_until"], row["held_until"])


async def spend(conn: Connection, channel: str, used_until: datetime) -> None:
    """Remember what was given."""
    await conn.execute("update paces set used_until = $2 where channel = $1", channel, used_until)


async def hold(conn: Connection, channel: str, until: datetime) -> None:
    """Give nothing before this time, as the partner asked."""
    await conn.execute(
        "update paces set held_until = greatest(held_until, $2) where channel = $1", channel, until
    )
