"""The sums of the service: what must balance, for the summary and for whoever audits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.alerts.store import messages
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Books:
    """Sums over everything.

    Attributes:
        unhappy: current unhappy answers that must each be in exactly one ticket.
        unhappy_without_ticket: those of them that are in none; must be 0. More than one is impossible by key.
        held_in_tickets: answers held as machine-made that are voices of an unhappy kind; must be 0.
        messages: what customers hear by itself, by what became of it.
        breaches: how often each clock was told as late, by clock and level.
    """

    tickets: Mapping[str, int]
    unhappy: int
    unhappy_without_ticket: int
    held_in_tickets: int
    unconfirmed: Mapping[str, int]
    breaches: Mapping[str, int]
    notices: Mapping[str, int]
    messages: Mapping[str, int]
    overdue_untold: int


async def books(conn: Connection, now: datetime) -> Books:
    """Add everything up."""
    sums = await conn.fetchrow(
        """
        with current as (
            select response_id from answers where standing = 'counted' and mood = 'unhappy' and wants_ticket
        )
        select
            (select count(*) from current) as unhappy,
            (select count(*) from current left join voices v using (response_id)
             where v.state is distinct from 'unhappy') as without,
            (select count(*) from voices v join answers a using (response_id)
             where v.state = 'unhappy' and a.standing <> 'counted') as held,
            (select count(*) from timers where due_at < $1::timestamptz - interval '60 seconds') as overdue
        """,
        now,
    )
    assert sums is not None  # noqa: S101 - an aggregate has one row
    return Books(
        tickets=await _tally(conn, "select state, count(*) from tickets group by 1 order by 1"),
        unhappy=sums["unhappy"],
        unhappy_without_ticket=sums["without"],
        held_in_tickets=sums["held"],
        unconfirmed=await _tally(conn, "select state, count(*) from unconfirmed group by 1 order by 1"),
        breaches=await _tally(conn, _BREACHES),
        notices=await _tally(conn, "select state, count(*) from notices group by 1 order by 1"),
        messages=await messages.tally(conn),
        overdue_untold=sums["overdue"],
    )


async def states(conn: Connection) -> Mapping[str, int]:
    """Tickets by state."""
    return await _tally(conn, "select state, count(*) from tickets group by 1")


async def waiting(conn: Connection) -> int:
    """How many unconfirmed answers wait for a look."""
    count: int = await conn.fetchval("select count(*) from unconfirmed where state = 'waiting'")
    return count


_BREACHES = """
    select case when data ->> 'clock' = 'resolve' then 'resolve'
                when data ->> 'level' = '3' then 'leadership' else 'contact' end, count(*)
    from timeline where kind = 'escalated' and data ->> 'level' <> '1' group by 1 order by 1
"""


async def _tally(conn: Connection, statement: str) -> dict[str, int]:
    return {row[0]: row[1] for row in await conn.fetch(statement)}
