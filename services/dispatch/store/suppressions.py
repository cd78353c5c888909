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
insert into suppressions (kind, subject, reason, via, contact_id, noted_at, channel)
select distinct 'address', address_hash, 'opted_out', $2, $1::uuid, $3::timestamptz, channel
from messages where contact_id = $1 and address_hash is not null
on conflict do nothing
"""
# How often a person has taken a stop back before: each stop is an event of its own.
_EARLIER = """
select count(*)::int from lifted_suppressions
where kind = 'contact' and subject = $1::uuid::text and programme = $2
"""
# A yes is about the person under all their ids, and about the mailboxes that we know of them, also where
# somebody else with the same one said stop before. Dead and erased addresses stay as they are.
_LIFT = """
with agreed as (
    select contact_id, case scope when 'all' then '' else scope end as programme, at
    from unnest($1::uuid[], $2::text[], $3::timestamptz[]) as a (contact_id, scope, at)
), known as (
    select contact_id, programme, at from agreed
    union all
    select c.contact_id, a.programme, a.at from agreed a join contacts c on c.merged_into = a.contact_id
), marks as (
    select 'contact' as kind, contact_id::text as subject, programme, at from known
    union all
    select 'address', m.address_hash, '', k.at from known k join messages m using (contact_id)
    where k.programme = '' and m.address_hash is not null
    union all
    select 'address', s.subject, '', k.at from known k join suppressions s using (contact_id)
    where k.programme = '' and s.kind = 'address'
), last as (
    select kind, subject, programme, max(at) as at from marks group by 1, 2, 3
), gone as (
    delete from suppressions s using last m
    where (s.kind, s.subject, s.programme) = (m.kind, m.subject, m.programme)
        and s.reason = 'opted_out' and s.noted_at < m.at
    returning s.*, m.at
)
insert into lifted_suppressions (kind, subject, programme, reason, via, contact_id, noted_at, channel,
    noted_by, agreed_at, lifted_at)
select kind, subject, programme, reason, via, contact_id, noted_at, channel, noted_by, at, $4 from gone
on conflict do nothing
"""
_DEAD = """
insert into suppressions (kind, subject, reason, via, contact_id, noted_at, channel)
select 'address', m.address_hash, d.reason,
    coalesce($4, case m.channel when 'email' then 'smtp' else m.channel end), m.contact_id, $3, m.channel
from unnest($1::uuid[], $2::text[]) as d (delivery_id, reason)
join messages m on m.delivery_id = d.delivery_id
where m.address_hash is not null order by 2
on conflict do nothing
"""


_WORN_OUT = """
insert into suppressions (kind, subject, reason, via, contact_id, noted_at, channel)
select 'address', last.address_hash, 'bounced', 'bounce', last.contact_id, $3, last.channel
from (
    select m.address_hash, m.contact_id, m.channel, m.bounce from messages m
    join messages this on this.contact_id = m.contact_id and this.address_hash = m.address_hash
    where this.delivery_id = $1 and m.state = 'handed_over'
    order by m.finished_at desc, m.delivery_id limit $2
) as last
group by last.address_hash, last.contact_id, last.channel
having count(*) filter (where last.bounce = 'soft') = $2
on conflict do nothing returning true
"""


@dataclass(frozen=True, slots=True)
class Known:
    """A message that something came back about; `texts` is "" for one that asks nothing."""

    contact_id: UUID
    account_id: UUID | None
    texts: str


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
class Lifted(Suppression):
    """A former entry: the person agreed again at `agreed_at`, which was heard of at `lifted_at`."""

    agreed_at: datetime
    lifted_at: datetime


@dataclass(frozen=True, slots=True)
class Agreed:
    """When somebody who had said stop said yes again; `scope`: all, or a programme's key."""

    contact_id: UUID
    scope: str
    at: datetime


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


async def stop(conn: Connection, contact_id: UUID, programme: str, via: str, now: datetime) -> int | None:
    """Write to a person no more; gives how often they had taken that back before, None when it was known.

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
    return int(await conn.fetchval(_EARLIER, contact_id, programme)) if fresh else None


async def lift(conn: Connection, agreed: Sequence[Agreed], now: datetime) -> None:
    """Write again to people who agreed after they had said stop; what was lifted is kept."""
    columns = ([one.contact_id for one in agreed], [one.scope for one in agreed], [one.at for one in agreed])
    await conn.execute(_LIFT, *columns, now)


async def note_dead(
    conn: Connection, dead: Sequence[tuple[UUID, Reason]], now: datetime, via: str | None = None
) -> None:
    """Keep the addresses of refused messages from being written to again: delivery and reason.

    `via` names who told; None for the server that was written to.
    """
    await conn.execute(_DEAD, [d for d, _ in dead], [reason.value for _, reason in dead], now, via)


async def note_worn_out(conn: Connection, delivery_id: UUID, most: int, now: datetime) -> bool:
    """Write no more to an address whose last `most` messages all came back; whether it was that bad."""
    return bool(await conn.fetchval(_WORN_OUT, delivery_id, most, now))


async def known(conn: Connection, delivery_id: UUID) -> Known | None:
    """What a returned mail is about; None when that message is not kept."""
    row = await conn.fetchrow(
        """
        select m.contact_id, m.account_id, m.channel, t.content as texts
        from messages m left join surveys s on s.survey_id = m.survey_id
            left join texts t on t.digest = s.texts_digest
        where m.delivery_id = $1
        """,
        delivery_id,
    )
    return Known(row["contact_id"], row["account_id"], row["texts"] or "") if row else None


async def newest_to(conn: Connection, address_hash: str) -> UUID | None:
    """The last message that was handed over to an address."""
    found: UUID | None = await conn.fetchval(
        """
        select delivery_id from messages where address_hash = $1 and state in ('handed_over', 'uncertain')
        order by finished_at desc, delivery_id limit 1
        """,
        address_hash,
    )
    return found


async def recipient_of(conn: Connection, delivery_id: UUID) -> Known:
    """Who got a message that is surely kept."""
    found = await known(conn, delivery_id)
    assert found is not None  # noqa: S101 - the caller has just changed its row
    return found


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


async def lifted(conn: Connection, limit: int, before: datetime | None) -> list[Lifted]:
    """Former entries, the last lifted first; a page ends at `before`."""
    rows = await conn.fetch(
        """
        select kind, contact_id, programme, reason, via, noted_at, agreed_at, lifted_at
        from lifted_suppressions
        where $2::timestamptz is null or lifted_at < $2 order by lifted_at desc limit $1
        """,
        limit,
        before,
    )
    return [Lifted(**dict(row)) for row in rows]
