"""Who is not written to: people who said stop, and addresses that are dead or were erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.contracts.reasons import Reason
from shared.db.database import Connection

# The row of the contact is locked first: a hand-over that holds it ends before the stop takes effect, or
# sees it.
_LOCK = """
insert into contacts (contact_id, version) values ($1, 0)
on conflict (contact_id) do update set contact_id = excluded.contact_id
"""
_STOP = """
insert into suppressions (kind, subject, programme, reason, via, contact_id, noted_at)
values ('contact', $1::uuid::text, $2, 'opted_out', $3, $1, $4)
on conflict do nothing returning true
"""
# Whoever wants nothing any more is not asked under another contact id with the same address either.
_STOP_ADDRESSES = """
insert into suppressions (kind, subject, reason, via, contact_id, noted_at)
select distinct 'address', address_hash, 'opted_out', $2, $1::uuid, $3::timestamptz
from messages where contact_id = $1 and address_hash is not null
on conflict do nothing
"""
_DEAD = """
insert into suppressions (kind, subject, reason, via, contact_id, noted_at)
select 'address', m.address_hash, d.reason, 'smtp', m.contact_id, $3
from unnest($1::uuid[], $2::text[]) as d (delivery_id, reason)
join messages m on m.delivery_id = d.delivery_id
where m.address_hash is not null order by 2
on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class Suppression:
    """One entry of the list; `contact_id` is None for an address of somebody erased."""

    kind: str
    contact_id: UUID | None
    programme: str
    reason: str
    via: str
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class Recipient:
    """What the unsubscribe page knows about the mail it was opened from."""

    programme: str
    account_id: UUID | None
    snapshot: str


async def recipient(conn: Connection, delivery_id: UUID) -> Recipient | None:
    """The message a link was in; None when it is no longer kept."""
    row = await conn.fetchrow(
        "select programme, account_id, snapshot from messages where delivery_id = $1", delivery_id
    )
    return Recipient(row["programme"], row["account_id"], row["snapshot"]) if row else None


async def stop(conn: Connection, contact_id: UUID, programme: str, via: str, now: datetime) -> bool:
    """Write to a person no more; False when that was known.

    Args:
        conn: the connection, inside a transaction.
        contact_id: who.
        programme: key of the programme that is meant; "" for everything.
        via: how the person said so.
        now: business time.
    """
    await conn.execute(_LOCK, contact_id)
    fresh = bool(await conn.fetchval(_STOP, contact_id, programme, via, now))
    if not programme:
        await conn.execute(_STOP_ADDRESSES, contact_id, via, now)
    return fresh


async def note_dead(conn: Connection, dead: Sequence[tuple[UUID, Reason]], now: datetime) -> None:
    """Keep the addresses of refused messages from being written to again: delivery and reason."""
    await conn.execute(_DEAD, [d for d, _ in dead], [reason.value for _, reason in dead], now)


async def suppressions(conn: Connection, limit: int, before: datetime | None) -> list[Suppression]:
    """The list, newest first; a page ends at `before`."""
    rows = await conn.fetch(
        """
        select kind, contact_id, programme, reason, via, noted_at from suppressions
        where $2::timestamptz is null or noted_at < $2 order by noted_at desc limit $1
        """,
        limit,
        before,
    )
    return [Suppression(**dict(row)) for row in rows]
