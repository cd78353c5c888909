"""Pages: when each door was last knocked at, and the notices that wait until it may be again.

All times are business time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from services.alerts.domain.model import Occasion
from services.alerts.domain.paging import Door, Page
from services.alerts.store.notices import Notice
from shared.db.database import Connection


async def busy(
    conn: Connection, doors: Collection[Door], now: datetime, every: timedelta
) -> dict[Door, datetime]:
    """Until when these doors are not to be knocked at; those left out are ours from now on.

    A door at which something waits already stays busy until that has gone out, so that nothing overtakes it.
    Two who ask at once do not both get it: the row is taken until the transaction ends.
    """
    wanted = sorted(set(doors))
    if not wanted:
        return {}
    rows = await conn.fetch(_BUSY, [d[0] for d in wanted], [d[1] for d in wanted], now - every)
    found = {(r["channel"], r["recipient"]): max(r["paged_at"] + every, now) for r in rows}
    free = [door for door in wanted if door not in found]
    taken = await conn.fetch(_TAKE, [d[0] for d in free], [d[1] for d in free], now, every)
    ours = {(r["channel"], r["recipient"]) for r in taken}
    return found | {door: now + every for door in free if door not in ours}


async def hold(conn: Connection, notices: Sequence[tuple[Notice, datetime]], now: datetime) -> None:
    """Keep notices until their time; one that is there already stays as it is."""
    rows = [
        (n.id, n.ticket_id, n.occasion.value, n.step, n.channel, n.recipient, due_at) for n, due_at in notices
    ]
    if rows:
        await conn.execute(_HOLD, *map(list, zip(*rows, strict=True)), now, "until free")


async def hold_quiet(conn: Connection, notices: Sequence[tuple[Notice, datetime]], now: datetime) -> None:
    """Keep notices until their recipient wakes; they hold nothing back that is more urgent."""
    rows = [
        (n.id, n.ticket_id, n.occasion.value, n.step, n.channel, n.recipient, due_at) for n, due_at in notices
    ]
    if not rows:
        return
    doors = sorted({(n.channel, n.recipient) for n, _ in notices})
    await conn.execute(_FIRST, [door[0] for door in doors], [door[1] for door in doors])
    await conn.execute(_HOLD, *map(list, zip(*rows, strict=True)), now, "until awake")


async def due(conn: Connection, now: datetime, limit: int) -> list[tuple[Page, Notice]]:
    """Everything that waits for doors that may be knocked at again, door by door; nobody else has it."""
    doors = await conn.fetch(
        """
        select channel, recipient from pages p
        where (channel, recipient) in (select channel, recipient from held_notices
            where state = 'held' and due_at <= $1 limit $2)
        order by channel, recipient for update skip locked
        """,
        now,
        limit,
    )
    rows = await conn.fetch(
        """
        select h.* from held_notices h
        join unnest($1::text[], $2::text[]) as d (channel, recipient) using (channel, recipient)
        where h.state = 'held' and (not h.quiet or h.due_at <= $3)
        order by h.channel, h.recipient, h.held_at, h.id
        """,
        [row["channel"] for row in doors],
        [row["recipient"] for row in doors],
        now,
    )
    return [(_page(row), _notice(row)) for row in rows]


async def settle(
    conn: Connection, lead: UUID | None, others: Collection[UUID], silent: Collection[UUID]
) -> None:
    """Write what became of what was held for one door."""
    await conn.execute(
        """
        update held_notices set state = case when id = $1 then 'sent' when id = any($2) then 'gathered'
            else 'dropped' end, lead = case when id = any($2) then $1 end
        where id = $1 or id = any($2) or id = any($3)
        """,
        lead,
        list(others),
        list(silent),
    )


async def hold_after_all(conn: Connection, ticket_id: UUID, generation: int) -> None:
    """Nobody has taken the case after all: what was held and then left untold goes out when it is time."""
    await conn.execute(
        """
        update held_notices set state = 'held'
        where ticket_id = $1 and state = 'dropped' and starts_with(step, 'untaken/' || $2::int || '/')
        """,
        ticket_id,
        generation,
    )


async def hold_again(conn: Connection, dropped: Collection[UUID], every: timedelta) -> None:
    """What was told together with a notice that was dropped after all is held again, so that it is told.

    At once; where the door was knocked at since, when that may be done again.
    """
    await conn.execute(
        """
        update held_notices h set state = 'held', lead = null,
            due_at = case when p.paged_at > n.created_at then p.paged_at + $2::interval else h.due_at end
        from notices n, pages p
        where h.lead = any($1) and h.state = 'gathered' and n.id = h.lead
            and p.channel = h.channel and p.recipient = h.recipient
        """,
        list(dropped),
        every,
    )


async def knocked(conn: Connection, doors: Collection[Door], now: datetime) -> None:
    """Note that these doors were knocked at."""
    wanted = sorted(set(doors))
    await conn.execute(_KNOCK, [d[0] for d in wanted], [d[1] for d in wanted], now)


async def gathered(conn: Connection, lead: UUID) -> list[UUID]:
    """The other tickets that one notice tells of, the gravest occasion first."""
    rows = await conn.fetch(
        """
        select ticket_id from held_notices where lead = $1
        group by ticket_id order by min(held_at), ticket_id
        """,
        lead,
    )
    return [row["ticket_id"] for row in rows]


_BUSY = """
    select channel, recipient, p.paged_at
    from unnest($1::text[], $2::text[]) as d (channel, recipient) join pages p using (channel, recipient)
    where p.paged_at > $3 or exists (
        select from held_notices h
        where h.channel = p.channel and h.recipient = p.recipient and h.state = 'held' and not h.quiet)
"""
_TAKE = """
    insert into pages (channel, recipient, paged_at)
    select channel, recipient, $3 from unnest($1::text[], $2::text[]) as d (channel, recipient)
    on conflict (channel, recipient) do update set paged_at = excluded.paged_at
    where pages.paged_at <= excluded.paged_at - $4::interval
    returning channel, recipient
"""
_FIRST = """
    insert into pages (channel, recipient, paged_at)
    select channel, recipient, '1970-01-01 00:00+00'::timestamptz
    from unnest($1::text[], $2::text[]) as d (channel, recipient)
    on conflict do nothing
"""
_KNOCK = """
    insert into pages (channel, recipient, paged_at)
    select channel, recipient, $3 from unnest($1::text[], $2::text[]) as d (channel, recipient)
    on conflict (channel, recipient) do update set paged_at = excluded.paged_at
"""
_HOLD = """
    insert into held_notices (id, ticket_id, occasion, step, channel, recipient, due_at, held_at,
        quiet)
    select n.*, $8, $9 = 'until awake'
    from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
        $7::timestamptz[]) as n
    on conflict do nothing
"""


def _page(row: asyncpg.Record) -> Page:
    return Page(
        row["id"],
        row["ticket_id"],
        Occasion(row["occasion"]),
        (row["channel"], row["recipient"]),
        row["held_at"],
    )


def _notice(row: asyncpg.Record) -> Notice:
    return Notice(
        row["id"],
        row["ticket_id"],
        Occasion(row["occasion"]),
        row["step"],
        row["channel"],
        row["recipient"],
    )
