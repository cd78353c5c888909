"""Numbers of people, and notices that do not get through. `queued_at` is machine time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.alerts.domain.routing import TEAM
from services.alerts.store.notices import Notice, read
from shared.db.database import Connection


async def numbers(conn: Connection, users: Collection[UUID]) -> Mapping[UUID, str]:
    """The sealed numbers of those who gave one."""
    rows = await conn.fetch("select user_id, number from numbers where user_id = any($1)", list(users))
    return {row["user_id"]: row["number"] for row in rows}


async def save_number(conn: Connection, user_id: UUID, sealed: str) -> None:
    """Keep somebody's sealed number; an empty one takes it away."""
    if not sealed:
        await conn.execute("delete from numbers where user_id = $1", user_id)
        return
    await conn.execute(
        """
        insert into numbers (user_id, number) values ($1, $2)
        on conflict (user_id) do update set number = excluded.number
        """,
        user_id,
        sealed,
    )


async def stuck(conn: Connection, before: datetime, limit: int) -> list[Notice]:
    """Take notices to people that wait since then; each is given only once."""
    rows = await conn.fetch(
        """
        update notices set passed_on = true
        where id in (
            select id from notices
            where state in ('pending', 'handing_over') and recipient <> $3 and not passed_on
                and queued_at <= $1
            order by queued_at limit $2 for update skip locked)
        returning id, ticket_id, occasion, step, channel, recipient, attempts
        """,
        before,
        limit,
        TEAM,
    )
    return [read(row) for row in rows]


async def give_up(conn: Connection, ids: Collection[UUID]) -> set[UUID]:
    """Mark notices that failed for good as passed on; those that were not before."""
    rows = await conn.fetch(
        "update notices set passed_on = true where id = any($1) and not passed_on returning id", list(ids)
    )
    return {row["id"] for row in rows}


async def tried(conn: Connection, notices: Sequence[Notice]) -> Mapping[UUID, Mapping[str, str]]:
    """By notice: every channel by which its recipient is told of the same, with its state."""
    rows = await conn.fetch(
        """
        select n.id, o.channel, o.state
        from notices n join notices o using (ticket_id, step, recipient)
        where n.id = any($1)
        """,
        [notice.id for notice in notices],
    )
    found: dict[UUID, dict[str, str]] = {notice.id: {} for notice in notices}
    for row in rows:
        found[row["id"]][row["channel"]] = row["state"]
    return found


async def drop_others(conn: Connection, ids: Collection[UUID], now: datetime) -> None:
    """Whoever was told by one way is not told the same by another."""
    await conn.execute(
        """
        update notices o set state = 'dropped', ended_at = $2
        from notices n
        where n.id = any($1) and o.ticket_id = n.ticket_id and o.step = n.step
            and o.recipient = n.recipient and o.channel <> n.channel
            and o.state = 'pending' and o.recipient <> $3
        """,
        list(ids),
        now,
        TEAM,
    )
