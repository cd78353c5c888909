"""The queue of messages: claimed under a lease, moved by the table of states, and never by a stale worker.

Leases and waits are measured by the database's machine clock, which all processes share.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.dispatch.domain.hours import read_hours
from services.dispatch.domain.model import Announced, Claimed, Ending, Postponed, expiry
from services.dispatch.domain.states import Happening, sources, target
from services.dispatch.domain.uncertain import STOPPED
from shared.contracts.directory import OrganisationChanged
from shared.contracts.model import Channel
from shared.db.database import Connection

_UNPROVEN = """
select delivery_id, key, extract(epoch from clock.machine_now() - arrived_at)::float8 as waited
from messages where state = 'planned' and not view_current order by arrived_at limit $1
"""
_CLAIM = """
update messages as m set state = 'claimed', lease_token = $1, reason = null,
    lease_until = clock.machine_now() + make_interval(secs => $3)
from (
    select delivery_id from messages
    where state = 'planned' and view_current and not_before <= clock.machine_now()
    order by not_before limit $2 for update skip locked
) as due
where m.delivery_id = due.delivery_id
returning m.delivery_id
"""
# Locked in id order: an opt-out or a cancellation that comes now waits, or was here first and is seen.
_HOLD_SURVEYS = """
select from surveys where survey_id in (select survey_id from messages where lease_token = $1)
order by survey_id for share
"""
_HOLD_CONTACTS = """
select from contacts where contact_id in (select contact_id from messages where lease_token = $1)
order by contact_id for share
"""
_LOAD = """
select m.*, s.closes_at, s.fresh_until, s.send_hours, s.closed, s.cancelled_as, t.content as texts,
    coalesce(nullif(m.person, ''), s.person, '') as sealed,
    case when m.survey_id is null then m.slots else s.slots end as values,
    coalesce(a.answered, false) as answered, coalesce(a.started, false) as started, c.opted_out, c.erased_at,
    coalesce(acc.paused, false) or coalesce(p.paused, false) as braked,
    exists (select from messages e where e.survey_id = m.survey_id and e.step < m.step
        and e.state = 'handed_over') as reached,
    exists (select from messages e where e.survey_id = m.survey_id and e.step < m.step
        and e.state in ('planned', 'claimed', 'handing_over')) as earlier_open
from messages m
left join surveys s on s.survey_id = m.survey_id
left join texts t on t.digest = s.texts_digest
left join answers a on a.survey_id = m.survey_id
left join contacts c on c.contact_id = m.contact_id
left join merged led on led.former = m.account_id
left join accounts acc on acc.account_id = coalesce(led.id, m.account_id)
left join programmes p on p.programme = m.programme
where m.lease_token = $1 and m.state = 'claimed'
order by m.not_before, m.delivery_id
"""
_CALL = """
with moved as (
    update messages as m set state = $4, attempts = m.attempts + 1, address_hash = nullif(c.address_hash, ''),
        subject_line = nullif(c.subject_line, ''),
        lease_until = clock.machine_now() + make_interval(secs => $6)
    from unnest($2::uuid[], $3::text[], $7::text[]) as c (delivery_id, address_hash, subject_line)
    where m.delivery_id = c.delivery_id and m.lease_token = $1 and m.state = any($5::text[])
    returning m.delivery_id, m.attempts
)
insert into attempts (delivery_id, number, started_at)
select delivery_id, attempts, clock.machine_now() from moved
returning delivery_id, number
"""
_END = """
update messages as m set state = $5, version = m.version + 1, lease_until = null, finished_at = $6,
    reason = nullif(e.reason, ''), detail = e.detail
from unnest($2::uuid[], $3::text[], $4::text[]) as e (delivery_id, reason, detail)
where m.delivery_id = e.delivery_id and m.lease_token = $1 and m.state = any($7::text[])
returning m.delivery_id
"""
_POSTPONE = """
update messages as m set state = 'planned', lease_token = null, lease_until = null, detail = p.detail,
    not_before = clock.machine_now() + make_interval(secs => p.wait)
from unnest($2::uuid[], $3::float8[], $4::text[]) as p (delivery_id, wait, detail)
where m.delivery_id = p.delivery_id and m.lease_token = $1 and m.state = any($5::text[])
returning m.delivery_id
"""
# An attempt that was lost may still learn better; one with an outcome keeps it.
_END_ATTEMPTS = """
update attempts as a set ended_at = clock.machine_now(), outcome = $2, detail = e.detail
from unnest($1::uuid[], $3::text[]) as e (delivery_id, detail)
where a.delivery_id = e.delivery_id and (a.outcome is null or a.outcome = 'unknown')
    and a.number = (select max(number) from attempts l where l.delivery_id = a.delivery_id)
"""
_RENEW = """
update messages set lease_until = clock.machine_now() + make_interval(secs => $2)
where lease_token = $1 and lease_until is not null
"""
_RELEASE_EXPIRED = """
update messages set state = 'planned', lease_token = null, lease_until = null
where delivery_id in (
    select delivery_id from messages where state = 'claimed' and lease_until < clock.machine_now()
    order by delivery_id for update skip locked)
returning delivery_id
"""
_REPEAT_EXPIRED = """
update messages set state = $1, lease_token = null, lease_until = null
where delivery_id in (
    select delivery_id from messages
    where state = any($2::text[]) and channel = any($3::text[]) and lease_until < clock.machine_now()
    order by delivery_id for update skip locked)
returning delivery_id
"""
_LOSE_EXPIRED = """
update messages set state = $1, version = version + 1, lease_until = null, finished_at = $2,
    detail = $4
where delivery_id in (
    select delivery_id from messages where state = any($3::text[]) and lease_until < clock.machine_now()
    order by delivery_id for update skip locked)
returning delivery_id
"""
# Evidence that comes after the postman has left: no lease, but the same table of moves.
_END_LATE = """
update messages as m set state = $4, version = m.version + 1, lease_until = null,
    finished_at = coalesce(m.finished_at, $5), reason = nullif(e.reason, ''), detail = e.detail
from unnest($1::uuid[], $2::text[], $3::text[]) as e (delivery_id, reason, detail)
where m.delivery_id = e.delivery_id and m.state = any($6::text[])
returning m.delivery_id
"""
_ROUTES = """
select m.delivery_id, m.step, m.channel, m.kind, m.snapshot, m.requested_at, m.survey_id, s.channels,
    array(select distinct e.channel from messages e
        where e.survey_id = m.survey_id and e.step < m.step) as before,
    array(select e.channel from messages e where e.survey_id = m.survey_id and e.step = m.step) as now
from messages m join surveys s on s.survey_id = m.survey_id
where m.delivery_id = any($1::uuid[]) order by m.delivery_id
"""
_ANNOUNCE = """
select delivery_id, version, survey_id, message_id, kind, step, channel, snapshot, key, reason, detail,
    again_at is not null as again
from messages where delivery_id = any($1::uuid[]) order by delivery_id
"""


@dataclass(frozen=True, slots=True)
class Unproven:
    """A reminder whose key may have answers that dispatch has not read yet; `waited` in machine seconds."""

    delivery_id: UUID
    key: str
    waited: float


@dataclass(frozen=True, slots=True)
class Route:
    """A message of a survey with the channels around it, and all that a message in its place needs."""

    delivery_id: UUID
    survey_id: UUID
    step: int
    channel: Channel
    kind: str
    snapshot: str
    requested_at: datetime
    preferred: tuple[Channel, ...]
    before: tuple[Channel, ...]
    now: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is kept of a message that is being handed over; "" where it has no address, or one subject."""

    address_hash: str
    subject_line: str = ""


@dataclass(frozen=True, slots=True)
class House:
    """The organisation's settings as dispatch knows them."""

    version: int
    paused: bool
    content: str


async def house(conn: Connection) -> House | None:
    """The organisation; None until trigger has told about it."""
    row = await conn.fetchrow("select version, paused, content from organisation")
    return House(row["version"], row["paused"], row["content"]) if row else None


def organisation_of(house: House) -> OrganisationChanged:
    """The organisation's settings, read."""
    return OrganisationChanged.model_validate_json(house.content)


async def unproven(conn: Connection, limit: int) -> list[Unproven]:
    """Reminders that wait for a current view of the answers, oldest first."""
    rows = await conn.fetch(_UNPROVEN, limit)
    return [Unproven(row["delivery_id"], row["key"], row["waited"]) for row in rows]


async def prove(conn: Connection, delivery_ids: Sequence[UUID]) -> None:
    """Mark reminders whose view is current, or that waited long enough."""
    await conn.execute(
        "update messages set view_current = true where delivery_id = any($1::uuid[])", sorted(delivery_ids)
    )


async def claim(conn: Connection, token: UUID, limit: int, lease_seconds: float) -> int:
    """Take due messages under a lease; rows that another worker is taking are passed over."""
    return len(await conn.fetch(_CLAIM, token, limit, lease_seconds))


async def load(conn: Connection, token: UUID) -> list[Claimed]:
    """The claimed messages with all that is known, held so that nothing changes before they are moved."""
    await conn.execute(_HOLD_SURVEYS, token)
    await conn.execute(_HOLD_CONTACTS, token)
    return [_claimed(row) for row in await conn.fetch(_LOAD, token)]


async def blocked(
    conn: Connection, people: Sequence[tuple[UUID, str, str]]
) -> dict[tuple[UUID, str, str], str]:
    """Of (contact, programme, address hash), those that are not written to, with the reason."""
    rows = await conn.fetch(
        """
        select t.contact_id, t.programme, t.hash, min(s.reason) as reason
        from unnest($1::uuid[], $2::text[], $3::text[]) as t (contact_id, programme, hash)
        join suppressions s on (s.kind = 'contact' and s.subject = t.contact_id::text
                and s.programme in ('', t.programme))
            or (s.kind = 'address' and s.subject = t.hash)
        group by 1, 2, 3
        """,
        [p[0] for p in people],
        [p[1] for p in people],
        [p[2] for p in people],
    )
    return {(row["contact_id"], row["programme"], row["hash"]): row["reason"] for row in rows}


async def call(
    conn: Connection, token: UUID, leaving: Mapping[UUID, Leaving], lease_seconds: float
) -> dict[UUID, int]:
    """Write down that messages are being handed over, before any call; gives each attempt's number."""
    rows = await conn.fetch(
        _CALL,
        token,
        list(leaving),
        [one.address_hash for one in leaving.values()],
        target(Happening.CALL).value,
        [state.value for state in sources(Happening.CALL)],
        lease_seconds,
        [one.subject_line for one in leaving.values()],
    )
    return {row["delivery_id"]: row["number"] for row in rows}


async def end(
    conn: Connection, token: UUID, happening: Happening, endings: Sequence[Ending], now: datetime
) -> list[UUID]:
    """End messages of this lease; those that somebody else moved meanwhile are left alone."""
    if not endings:
        return []
    rows = await conn.fetch(
        _END,
        token,
        [e.delivery_id for e in endings],
        [e.reason for e in endings],
        [e.detail for e in endings],
        target(happening).value,
        now,
        [state.value for state in sources(happening)],
    )
    return [row["delivery_id"] for row in rows]


async def end_late(
    conn: Connection, happening: Happening, endings: Sequence[Ending], now: datetime
) -> list[UUID]:
    """End messages by evidence that came later, as far as the table of moves allows."""
    if not endings:
        return []
    rows = await conn.fetch(
        _END_LATE,
        [e.delivery_id for e in endings],
        [e.reason for e in endings],
        [e.detail for e in endings],
        target(happening).value,
        now,
        [state.value for state in sources(happening)],
    )
    return [row["delivery_id"] for row in rows]


async def routes(conn: Connection, delivery_ids: Sequence[UUID]) -> list[Route]:
    """Messages of surveys with the channels that were tried around them; notes have no other channel."""
    if not delivery_ids:
        return []
    return [
        Route(
            delivery_id=row["delivery_id"],
            survey_id=row["survey_id"],
            step=row["step"],
            channel=Channel(row["channel"]),
            kind=row["kind"],
            snapshot=row["snapshot"],
            requested_at=row["requested_at"],
            preferred=tuple(map(Channel, row["channels"])),
            before=tuple(map(Channel, row["before"])),
            now=tuple(map(Channel, row["now"])),
        )
        for row in await conn.fetch(_ROUTES, list(delivery_ids))
    ]


async def postpone(
    conn: Connection, token: UUID, happening: Happening, postponed: Sequence[Postponed]
) -> list[UUID]:
    """Put messages of this lease back for a while."""
    if not postponed:
        return []
    rows = await conn.fetch(
        _POSTPONE,
        token,
        [p.delivery_id for p in postponed],
        [p.wait.total_seconds() for p in postponed],
        [p.detail for p in postponed],
        [state.value for state in sources(happening)],
    )
    return [row["delivery_id"] for row in rows]


async def end_attempts(conn: Connection, outcome: str, endings: Sequence[Ending]) -> None:
    """Write down how the last attempts ended."""
    if not endings:
        return
    await conn.execute(_END_ATTEMPTS, [e.delivery_id for e in endings], outcome, [e.detail for e in endings])


async def renew(conn: Connection, token: UUID, lease_seconds: float) -> None:
    """Keep a lease while its calls are under way."""
    await conn.execute(_RENEW, token, lease_seconds)


async def release_expired(conn: Connection) -> int:
    """Give back messages that a stopped worker had claimed and not yet handed over."""
    return len(await conn.fetch(_RELEASE_EXPIRED))


async def repeat_expired(conn: Connection, channels: Iterable[Channel]) -> list[UUID]:
    """Let messages be due again that a stopped worker was handing over by channels where that is harmless."""
    rows = await conn.fetch(
        _REPEAT_EXPIRED,
        target(Happening.DEFER).value,
        [state.value for state in sources(Happening.DEFER)],
        [channel.value for channel in channels],
    )
    return [row["delivery_id"] for row in rows]


async def lose_expired(conn: Connection, now: datetime) -> list[UUID]:
    """Give up knowing about messages that a stopped worker was handing over."""
    rows = await conn.fetch(
        _LOSE_EXPIRED,
        target(Happening.LOSE).value,
        now,
        [state.value for state in sources(Happening.LOSE)],
        STOPPED,
    )
    return [row["delivery_id"] for row in rows]


async def waiting(conn: Connection) -> dict[str, int]:
    """How many messages are still to go out, by state."""
    rows = await conn.fetch(
        """
        select state, count(*)::int as n from messages
        where state = 'planned' or lease_until is not null group by state
        """
    )
    return {row["state"]: row["n"] for row in rows}


async def announcements(conn: Connection, delivery_ids: Sequence[UUID]) -> list[Announced]:
    """Messages as their delivery events tell them."""
    if not delivery_ids:
        return []
    return [
        Announced(
            delivery_id=row["delivery_id"],
            version=row["version"],
            survey_id=row["survey_id"],
            message_id=row["message_id"],
            kind=row["kind"],
            step=row["step"],
            channel=Channel(row["channel"]),
            snapshot=row["snapshot"],
            key=row["key"],
            reason=row["reason"] or "",
            detail=row["detail"],
            again=row["again"],
        )
        for row in await conn.fetch(_ANNOUNCE, list(delivery_ids))
    ]


def _claimed(row: asyncpg.Record) -> Claimed:
    of_survey = row["survey_id"] is not None
    closes_at, expires_at = expiry(row["step"], row["requested_at"], row["closes_at"], row["fresh_until"])
    return Claimed(
        delivery_id=row["delivery_id"],
        of_survey=of_survey,
        survey_id=row["survey_id"],
        kind=row["kind"],
        step=row["step"],
        channel=Channel(row["channel"]),
        contact_id=row["contact_id"],
        programme=row["programme"],
        snapshot=row["snapshot"],
        person=row["sealed"],
        slots=json.loads(row["values"]),
        texts=row["texts"] or "",
        attempts=row["attempts"],
        expires_at=expires_at,
        closes_at=closes_at,
        erased=row["erased_at"] is not None,
        opted_out=bool(row["opted_out"]),
        cancelled=row["cancelled_as"] is not None,
        answered=row["answered"],
        started=row["started"],
        closed=bool(row["closed"]),
        paused=of_survey and row["braked"],
        reached=row["reached"],
        earlier_open=row["earlier_open"],
        arrived_at=row["arrived_at"],
        hours=read_hours(row["send_hours"] or ""),
        again=row["again_at"] is not None,
    )
