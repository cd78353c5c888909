"""Notices to people and rooms: one row per ticket, step, recipient and channel, handed over under a lease.

`next_at` and `leased_until` are machine time, everything else business time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from services.alerts.domain.model import Occasion
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that somebody is to be told. Its id is the same however often it is tried."""

    id: UUID
    ticket_id: UUID
    occasion: Occasion
    step: str
    channel: str
    recipient: str
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What an attempt came to: sent, failed for good, or to be tried again at `next_at`.

    `hold_until`: the partner asked to be left alone until then.
    """

    notice: Notice
    outcome: str
    detail: str
    next_at: datetime | None = None
    hold_until: datetime | None = None


ALARMS = (Occasion.OPENED, Occasion.REOPENED, Occasion.REMINDER, Occasion.LATE, Occasion.LEADERSHIP)
"""Occasions of which a later one says all that an earlier one would."""
NEWS = (Occasion.TAKEN, Occasion.ENDED)
"""What is told in the order in which it happened: a partner that hears it late would end what began anew."""

ENDS = (Occasion.RESOLVED, Occasion.CONFIRMED)
"""Occasions that are told of cases that have ended."""


async def enqueue(conn: Connection, notices: Sequence[Notice], now: datetime, wall: datetime) -> None:
    """Add notices; one that is there already stays as it is."""
    if not notices:
        return
    rows = [(n.id, n.ticket_id, n.occasion.value, n.step, n.channel, n.recipient) for n in notices]
    await conn.execute(
        """
        insert into notices
            (id, ticket_id, occasion, step, channel, recipient, created_at, next_at, queued_at)
        select n.*, $7, $8, $8
        from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[]) as n
        on conflict do nothing
        """,
        *map(list, zip(*rows, strict=True)),
        now,
        wall,
    )


async def drop_pointless(conn: Connection, channel: str, now: datetime) -> list[UUID]:
    """Drop what nobody needs to hear any more: of tickets that have ended, and what a later notice overtook.

    The second happens after an outage of the channel: only the gravest of a ticket's alarms is told, none
    once the partner is to hear that the case was taken, and no end of what began anew. That nobody takes a
    case is told of one alone that nobody has taken.

    Returns:
        The ids of what was dropped.
    """
    rows = await conn.fetch(
        """
        update notices n set state = 'dropped', ended_at = $2
        from tickets t
        where t.id = n.ticket_id and n.channel = $1 and n.state = 'pending'
            and (t.ended_at is not null and n.occasion <> 'ended' and n.occasion <> all($4)
                or t.ended_at is null and n.occasion = 'ended'
                or n.occasion = 'untaken' and t.state <> 'open'
                or n.occasion = any($3::text[] || array['untaken']) and exists (
                    select from notices later
                    where later.ticket_id = n.ticket_id and later.channel = n.channel
                        and later.recipient = n.recipient and later.state = 'pending'
                        and (later.occasion = any($3 || array['taken'])
                            or n.occasion = 'untaken' and later.occasion = 'untaken')
                        and later.created_at > n.created_at))
        returning n.id
        """,
        channel,
        now,
        [occasion.value for occasion in ALARMS],
        [occasion.value for occasion in ENDS],
    )
    return [row["id"] for row in rows]


async def tell_after_all(conn: Connection, ticket_id: UUID, since: datetime, wall: datetime) -> None:
    """Nobody has taken the case after all: what was left untold since somebody seemed to have is told.

    Whoever was told the same by another way is left alone.
    """
    await conn.execute(
        """
        update notices n set state = 'pending', ended_at = null, next_at = $3, queued_at = $3
        where n.ticket_id = $1 and n.occasion = 'untaken' and n.state = 'dropped' and n.ended_at >= $2
            and (n.recipient = 'team' or not exists (
                select from notices other
                where other.ticket_id = n.ticket_id and other.step = n.step
                    and other.recipient = n.recipient and other.state in ('handing_over', 'sent')))
        """,
        ticket_id,
        since,
        wall,
    )


async def claim(
    conn: Connection, channel: str, lease: UUID, wall: datetime, *, hold: timedelta, limit: int
) -> list[Notice]:
    """Take notices that are due, or whose last holder vanished while handing over: those are repeated."""
    rows = await conn.fetch(
        """
        update notices n set
            state = 'handing_over', attempts = attempts + 1, lease = $2, leased_until = $3
        where n.id in (
            select id from notices waiting
            where channel = $1 and state in ('pending', 'handing_over')
                and coalesce(leased_until, next_at) <= $4
                and not exists (
                    select from notices before
                    where before.ticket_id = waiting.ticket_id and before.channel = waiting.channel
                        and before.recipient = waiting.recipient and before.id <> waiting.id
                        and before.state in ('pending', 'handing_over')
                        and (before.occasion = any($6) or waiting.occasion = any($6))
                        and (before.created_at, before.occasion = any($6), before.id)
                            < (waiting.created_at, waiting.occasion = any($6), waiting.id))
            order by coalesce(leased_until, next_at), id
            limit $5 for update skip locked)
        returning id, ticket_id, occasion, step, channel, recipient, attempts
        """,
        channel,
        lease,
        wall + hold,
        wall,
        limit,
        [occasion.value for occasion in NEWS],
    )
    return [read(row) for row in rows]


async def any_due(conn: Connection, channel: str, wall: datetime) -> bool:
    """Whether there is anything to claim."""
    found: bool = await conn.fetchval(
        """
        select exists (
            select from notices
            where channel = $1 and state in ('pending', 'handing_over')
                and coalesce(leased_until, next_at) <= $2)
        """,
        channel,
        wall,
    )
    return found


def read(row: asyncpg.Record) -> Notice:
    """A notice from its row."""
    return Notice(
        row["id"], row["ticket_id"], Occasion(row["occasion"]), row["step"], row["channel"],
        row["recipient"], row["attempts"],
    )  # fmt: skip


async def record(conn: Connection, results: Sequence[Result], lease: UUID, now: datetime) -> list[UUID]:
    """Write what attempts came to, in the journal too; ids of those that were still ours.

    One whose lease went to somebody else meanwhile is left alone: its new holder decides.
    """
    if not results:
        return []
    rows = [
        (r.notice.id, _state(r), r.next_at, r.notice.attempts, r.outcome, r.detail[:500]) for r in results
    ]
    found = await conn.fetch(
        """
        with told as (
            select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::int[], $5::text[], $6::text[])
                as r (id, state, next_at, attempt, outcome, detail)
        ), mine as (
            update notices n set
                state = told.state, next_at = coalesce(told.next_at, n.next_at), lease = null,
                leased_until = null,
                ended_at = case when told.state = 'pending' then null else $8::timestamptz end
            from told where n.id = told.id and n.lease = $7
            returning n.id, told.attempt, told.outcome, told.detail
        ), journal as (
            insert into notice_attempts (notice_id, attempt, at, outcome, detail)
            select id, attempt, $8::timestamptz, outcome, detail from mine on conflict do nothing
        )
        select id from mine
        """,
        *map(list, zip(*rows, strict=True)),
        lease,
        now,
    )
    return [row["id"] for row in found]


def _state(result: Result) -> str:
    if result.next_at is not None:
        return "pending"
    return result.outcome
