"""Who is not written to: people who said stop, and addresses that are dead or were erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.dispatch.domain.stop_list import BY_TEXT, TAKEN_BACK
from shared.contracts.reasons import Reason
from shared.db.database import Connection

# The row of the contact is locked first: a hand-over that holds it ends before the stop takes effect, or
# sees it.
_LOCK = """
insert into contacts (contact_id, version) values ($1, 0)
on conflict (contact_id) do update set contact_id = excluded.contact_id
"""
# What a text message said can be taken back by one. Whatever else is learned stays when that happens, so it
# takes its place; of anything else the first word stays as it was noted.
KNOWN = f"""
on conflict (kind, subject, programme) do update set reason = excluded.reason, via = excluded.via,
    noted_at = excluded.noted_at, noted_by = excluded.noted_by,
    contact_id = coalesce(excluded.contact_id, suppressions.contact_id),
    channel = coalesce(excluded.channel, suppressions.channel)
where suppressions.reason = 'opted_out' and suppressions.via = '{BY_TEXT}'
    and not (excluded.reason = 'opted_out' and excluded.via = '{BY_TEXT}')
"""
_STOP = f"""
insert into suppressions (kind, subject, programme, reason, via, contact_id, noted_at)
values ('contact', $1::uuid::text, $2, 'opted_out', $3, $1, $4)
{KNOWN} returning true
"""  # noqa: S608 - constants
# Whoever wants nothing any more is not asked under another contact id with the same address either.
_STOP_ADDRESSES = f"""
insert into suppressions (kind, subject, reason, via, contact_id, noted_at, channel)
select distinct on (address_hash) 'address', address_hash, 'opted_out', $2, $1::uuid, $3::timestamptz, channel
from messages where contact_id = $1 and address_hash is not null order by address_hash
{KNOWN}
"""  # noqa: S608 - constants
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
# What STOP by text message caused: of the person, under all their ids, and of the number itself, which the
# provider may have told us about alone.
_TAKE_BACK = f"""
with named as (
    select $2::uuid as contact_id where $2::uuid is not null
    union
    select contact_id from suppressions
    where kind = 'address' and subject = $1 and reason = 'opted_out' and via = '{BY_TEXT}'
        and contact_id is not null
), people as (
    select contact_id from named
    union
    select c.contact_id from named n join contacts l on l.contact_id = n.contact_id
    join contacts c on coalesce(c.merged_into, c.contact_id) = coalesce(l.merged_into, l.contact_id)
), gone as (
    delete from suppressions s
    where s.reason = 'opted_out' and s.via = '{BY_TEXT}' and s.programme = '' and s.noted_at < $3
        and (s.kind = 'address' and s.subject = $1 or s.contact_id in (select contact_id from people))
    returning s.*
), kept as (
    insert into lifted_suppressions (kind, subject, programme, reason, via, contact_id, noted_at, channel,
        noted_by, grounds, agreed_at, lifted_at)
    select kind, subject, programme, reason, via, contact_id, noted_at, channel, noted_by, '{TAKEN_BACK}', $3,
        $3 from gone
    on conflict do nothing
)
select g.kind = 'contact' as person, g.contact_id, c.account_id
from gone g left join contacts c on c.contact_id = g.contact_id order by g.kind, g.subject
"""  # noqa: S608 - constants
_DEAD = f"""
insert into suppressions (kind, subject, reason, via, contact_id, noted_at, channel)
select distinct on (m.address_hash) 'address', m.address_hash, d.reason,
    coalesce($4, case m.channel when 'email' then 'smtp' else m.channel end), m.contact_id, $3, m.channel
from unnest($1::uuid[], $2::text[]) as d (delivery_id, reason)
join messages m on m.delivery_id = d.delivery_id
where m.address_hash is not null order by m.address_hash, d.reason
{KNOWN}
"""  # noqa: S608 - constants


_WORN_OUT = f"""
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
{KNOWN} returning true
"""  # noqa: S608 - constants


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
    """A former entry: lifted at `lifted_at` by a consent that was given at `agreed_at`, or on `grounds`.

    Grounds are those of `Grounds`, or that the person took a stop back themself.
    """

    agreed_at: datetime
    lifted_at: datetime
    grounds: str | None


@dataclass(frozen=True, slots=True)
class Agreed:
    """When somebody who had said stop said yes again; `scope`: all, or a programme's key."""

    contact_id: UUID
    scope: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What a START ended. `people`: whose own stop, each with their account; `any`: anything at all."""

    people: tuple[tuple[UUID, UUID | None], ...]
    any: bool


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

    A stop by text message is not known to be one by any other way, for it may be taken back by itself.

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


async def take_back(conn: Connection, number_hash: str, contact_id: UUID | None, now: datetime) -> TakenBack:
    """Write again to whoever had said stop by text message, and now says otherwise from the same number.

    Args:
        conn: the connection, inside a transaction.
        number_hash: of the number.
        contact_id: who was last written to there, when anybody was.
        now: business time; a stop of this very instant stays.
    """
    rows = await conn.fetch(_TAKE_BACK, number_hash, contact_id, now)
    people = tuple((row["contact_id"], row["account_id"]) for row in rows if row["person"])
    return TakenBack(people, bool(rows))


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
        select kind, contact_id, programme, reason, via, noted_at, agreed_at, lifted_at, grounds
        from lifted_suppressions
        where $2::timestamptz is null or lifted_at < $2 order by lifted_at desc limit $1
        """,
        limit,
        before,
    )
    return [Lifted(**dict(row)) for row in rows]
