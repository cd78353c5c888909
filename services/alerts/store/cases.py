"""Cases: their lock, tickets, voices, timers, timeline and the answers behind them.

The case row is the one lock: handlers, clocks and people take it, in key order, before they read a ticket.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.alerts.domain import clocks
from services.alerts.domain.clocks import Level, Run
from services.alerts.domain.model import Entry, Owner, Ticket, Voice, VoiceState
from services.alerts.store import calendars, escalations, undoing
from services.alerts.store.following import FEED
from shared.contracts.model import Snapshot
from shared.contracts.tickets import TicketState
from shared.db.database import Connection
from shared.db.notify import ring

_TICKET_COLUMNS = """
    t.id, t.case_key, t.version, t.edited, t.state, t.opened_at, t.generation, t.started_at, t.contact_within,
    t.resolve_due_at, t.told, t.resolve_told, t.acknowledged_at, t.contacted_at, t.ended_at, t.owner,
    t.owner_reason, t.touched, t.proposal, t.cause, t.how, t.snapshot, t.incident, t.planned_at,
    t.follow_up_at, t.confirmed_at, t.watchers, t.undo, t.calendar, t.team, t.denied_at, t.escalation
"""
_ONE_TICKET = f"select {_TICKET_COLUMNS} from tickets t where t.id = $1"  # noqa: S608 - columns of our own
_SAVE_TICKETS = """
    insert into tickets (id, case_key, version, edited, state, opened_at, generation, started_at,
        contact_within,
        contact_due_at, resolve_due_at, told, resolve_told, acknowledged_at, contacted_at, ended_at, owner,
        owner_reason, touched, proposal, cause, how, snapshot, incident, planned_at, follow_up_at,
        confirmed_at, watchers, undo, calendar, team, denied_at, escalation)
    select * from unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[], $5::text[], $6::timestamptz[],
        $7::int[],
        $8::timestamptz[], $9::interval[], $10::timestamptz[], $11::timestamptz[], $12::smallint[],
        $13::bool[],
        $14::timestamptz[], $15::timestamptz[], $16::timestamptz[], $17::uuid[], $18::text[], $19::bool[],
        $20::text[], $21::text[], $22::text[], $23::jsonb[], $24::text[], $25::timestamptz[],
        $26::timestamptz[], $27::timestamptz[], $28::jsonb[], $29::jsonb[], $30::jsonb[],
        $31::text[], $32::timestamptz[], $33::jsonb[])
    on conflict (id) do update set
        version = excluded.version, edited = excluded.edited, state = excluded.state,
        generation = excluded.generation, started_at = excluded.started_at,
        contact_within = excluded.contact_within, contact_due_at = excluded.contact_due_at,
        resolve_due_at = excluded.resolve_due_at, told = excluded.told, resolve_told = excluded.resolve_told,
        acknowledged_at = excluded.acknowledged_at, contacted_at = excluded.contacted_at,
        ended_at = excluded.ended_at, owner = excluded.owner, owner_reason = excluded.owner_reason,
        touched = excluded.touched, proposal = excluded.proposal, cause = excluded.cause, how = excluded.how,
        planned_at = excluded.planned_at, follow_up_at = excluded.follow_up_at,
        confirmed_at = excluded.confirmed_at, watchers = excluded.watchers, undo = excluded.undo,
        calendar = excluded.calendar, team = excluded.team, denied_at = excluded.denied_at,
        escalation = excluded.escalation, changed_in = excluded.changed_in
    where tickets.version < excluded.version
"""
_SAVE_VOICES = """
    insert into voices (response_id, ticket_id, place, survey_id, contact_id, state)
    select * from unnest($1::uuid[], $2::uuid[], $3::int[], $4::uuid[], $5::uuid[], $6::text[])
    on conflict (response_id) do update set
        ticket_id = excluded.ticket_id, place = excluded.place, state = excluded.state
"""


async def lock(conn: Connection, keys: Collection[UUID]) -> None:
    """Take the cases of these accounts or contacts, in order, until the transaction ends."""
    ordered = sorted(set(keys))
    await conn.execute("insert into cases (key) select unnest($1::uuid[]) on conflict do nothing", ordered)
    await conn.execute("select from cases where key = any($1) order by key for update", ordered)


async def lock_of(conn: Connection, ticket_id: UUID) -> UUID | None:
    """Take the case of one ticket; its key, or None when there is no such ticket."""
    key: UUID | None = await conn.fetchval(
        """
        select c.key from cases c where c.key = (select case_key from tickets where id = $1) for update
        """,
        ticket_id,
    )
    return key


async def keys_of(conn: Connection, ticket_ids: Collection[UUID]) -> set[UUID]:
    """The cases of these tickets."""
    if not ticket_ids:
        return set()
    rows = await conn.fetch("select case_key from tickets where id = any($1)", list(ticket_ids))
    return {row["case_key"] for row in rows}


async def lock_due(conn: Connection, now: datetime, limit: int) -> list[UUID]:
    """Take cases that have a timer due and that nobody else is working on."""
    rows = await conn.fetch(
        """
        select c.key from cases c
        where c.key in (
            select t.case_key from timers d join tickets t on t.id = d.ticket_id
            where d.due_at <= $1 order by d.due_at limit $2
        )
        order by c.key for update skip locked
        """,
        now,
        limit,
    )
    return [row["key"] for row in rows]


@dataclass(frozen=True, slots=True)
class Lately:
    """Which ended tickets may take further voices: opened since then, or about one of these incidents."""

    since: datetime
    incidents: Collection[str] = ()


async def lock_orphans(conn: Connection, workers: Collection[UUID], limit: int) -> list[UUID]:
    """Take cases whose open ticket belongs to somebody who is none of these, and that nobody works on now."""
    rows = await conn.fetch(
        """
        select c.key from cases c
        where c.key in (
            select case_key from tickets
            where state in ('open', 'acknowledged', 'contacted') and owner <> all($1) limit $2)
        order by c.key for update skip locked
        """,
        list(workers),
        limit,
    )
    return [row["key"] for row in rows]


async def tickets_for(
    conn: Connection, keys: Collection[UUID], response_ids: Collection[UUID], lately: Lately
) -> dict[UUID, tuple[Ticket, ...]]:
    """By case: its open ticket, those that hold one of these responses, and those that may take them in."""
    rows = await conn.fetch(
        f"""
        select {_TICKET_COLUMNS} from tickets t
        where t.case_key = any($1) and t.state in ('open', 'acknowledged', 'contacted')
        union all
        select {_TICKET_COLUMNS} from tickets t
        where t.ended_at is not null
            and t.id in (select ticket_id from voices where response_id = any($2)
                union select id from tickets where case_key = any($1) and ended_at is not null
                    and (opened_at > $3 or incident <> '' and incident = any($4)))
        """,  # noqa: S608 - columns of our own
        list(keys),
        list(response_ids),
        lately.since,
        list(lately.incidents),
    )
    found: dict[UUID, tuple[Ticket, ...]] = {}
    for ticket in await _with_voices(conn, rows):
        found[ticket.case_key] = (*found.get(ticket.case_key, ()), ticket)
    return found


async def tickets_due(conn: Connection, keys: Collection[UUID], now: datetime) -> list[Ticket]:
    """Tickets of these cases that have a timer due."""
    rows = await conn.fetch(
        f"""
        select {_TICKET_COLUMNS} from tickets t
        where t.case_key = any($1) and exists (
            select from timers d where d.ticket_id = t.id and d.due_at <= $2)
        order by t.id
        """,  # noqa: S608 - columns of our own
        list(keys),
        now,
    )
    return await _with_voices(conn, rows)


async def ticket(conn: Connection, ticket_id: UUID) -> Ticket | None:
    """One ticket with its voices."""
    rows = await conn.fetch(_ONE_TICKET, ticket_id)
    found = await _with_voices(conn, rows)
    return found[0] if found else None


async def states(conn: Connection, ticket_ids: Collection[UUID]) -> dict[UUID, TicketState]:
    """How these tickets stand."""
    rows = await conn.fetch("select id, state from tickets where id = any($1)", list(ticket_ids))
    return {row["id"]: TicketState(row["state"]) for row in rows}


async def with_open_ticket(conn: Connection, keys: Collection[UUID]) -> set[UUID]:
    """Those of these cases that somebody works on; they are locked."""
    rows = await conn.fetch(
        "select case_key from tickets "
        "where case_key = any($1) and state in ('open', 'acknowledged', 'contacted')",
        list(keys),
    )
    return {row["case_key"] for row in rows}


async def opened(conn: Connection, keys: Collection[UUID], since: datetime) -> dict[UUID, list[datetime]]:
    """When the cases of these keys were opened since then, ended ones too."""
    rows = await conn.fetch(
        "select case_key, array_agg(opened_at) as at from tickets "
        "where case_key = any($1) and opened_at >= $2 group by 1",
        list(keys),
        since,
    )
    return {row["case_key"]: row["at"] for row in rows}


async def attempts(conn: Connection, ticket_id: UUID, since: datetime) -> int:
    """How often somebody tried in vain to reach the customer since then."""
    count: int = await conn.fetchval(
        "select count(*) from timeline where ticket_id = $1 and kind = 'attempted' and at >= $2",
        ticket_id,
        since,
    )
    return count


async def save(conn: Connection, tickets: Sequence[Ticket]) -> None:
    """Write tickets as they are now, with voices, and the timers of their clocks; who watches is told."""
    if not tickets:
        return
    rows = [_row(ticket) for ticket in sorted(tickets, key=lambda t: (t.is_open, t.id))]
    await conn.execute(_SAVE_TICKETS, *map(list, zip(*rows, strict=True)))
    voices = [
        (v.response_id, t.id, place, v.survey_id, v.contact_id, v.state.value)
        for t in tickets
        for place, v in enumerate(t.voices)
    ]
    if voices:
        await conn.execute(_SAVE_VOICES, *map(list, zip(*voices, strict=True)))
    await _save_timers(conn, tickets)
    await ring(conn, FEED)


async def append(conn: Connection, lines: Iterable[tuple[UUID, Entry, str, UUID | None]]) -> None:
    """Add to timelines: ticket, entry, its sealed note and the contact whose key sealed it."""
    rows = [
        (ticket_id, e.at, e.by, e.kind.value, json.dumps(dict(e.data)), note, contact_id if note else None)
        for ticket_id, e, note, contact_id in lines
    ]
    if rows:
        await conn.execute(
            """
            insert into timeline (ticket_id, at, by_user, kind, data, note, note_contact)
            select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::jsonb[],
                $6::text[],
                $7::uuid[])
            """,
            *map(list, zip(*rows, strict=True)),
        )


async def _save_timers(conn: Connection, tickets: Sequence[Ticket]) -> None:
    await conn.execute("delete from timers where ticket_id = any($1)", [t.id for t in tickets])
    rows = [
        (t.id, timer.clock.value, t.run.generation, int(timer.level), timer.due_at)
        for t in tickets
        if t.is_open
        for timer in clocks.timers(t.run, untaken=t.is_untaken)
    ]
    if rows:
        await conn.execute(
            """
            insert into timers (ticket_id, clock, generation, level, due_at)
            select * from unnest($1::uuid[], $2::text[], $3::int[], $4::smallint[], $5::timestamptz[])
            """,
            *map(list, zip(*rows, strict=True)),
        )


async def _with_voices(conn: Connection, rows: Sequence[asyncpg.Record]) -> list[Ticket]:
    if not rows:
        return []
    voices: dict[UUID, list[Voice]] = {}
    for row in await conn.fetch(
        """
        select v.ticket_id, v.response_id, v.survey_id, v.contact_id, v.state,
            coalesce(a.themes, '{}') as themes
        from voices v left join answers a using (response_id)
        where v.ticket_id = any($1) order by v.ticket_id, v.place
        """,
        [row["id"] for row in rows],
    ):
        state, about = VoiceState(row["state"]), tuple(row["themes"])
        voice = Voice(row["response_id"], row["survey_id"], row["contact_id"], state, about)
        voices.setdefault(row["ticket_id"], []).append(voice)
    return [_ticket(row, tuple(voices.get(row["id"], ()))) for row in rows]


def _row(ticket: Ticket) -> tuple[object, ...]:
    run = ticket.run
    return (
        ticket.id, ticket.case_key, ticket.version, ticket.edited, ticket.state.value, ticket.opened_at,
        run.generation, run.started_at, run.contact_within, run.contact_due_at, run.resolve_due_at,
        int(run.told), run.resolve_told, ticket.acknowledged_at, run.contacted_at, ticket.ended_at,
        ticket.owner.user_id, ticket.owner.reason, ticket.touched, ticket.proposal, ticket.cause, ticket.how,
        ticket.snapshot.model_dump_json(), ticket.incident, ticket.planned_at, run.follow_up_at,
        ticket.confirmed_at, json.dumps([str(user) for user in ticket.watchers]), undoing.dump(ticket.undo),
        calendars.dump(run.calendar), ticket.team, ticket.denied_at, escalations.dump(run.escalation),
    )  # fmt: skip


def _ticket(row: asyncpg.Record, voices: tuple[Voice, ...]) -> Ticket:
    run = Run(
        generation=row["generation"],
        started_at=row["started_at"],
        contact_within=row["contact_within"],
        resolve_due_at=row["resolve_due_at"],
        told=Level(row["told"]),
        resolve_told=row["resolve_told"],
        contacted_at=row["contacted_at"],
        follow_up_at=row["follow_up_at"],
        calendar=calendars.load(row["calendar"]),
        escalation=escalations.load(row["escalation"]),
    )
    return Ticket(
        id=row["id"],
        case_key=row["case_key"],
        version=row["version"],
        state=TicketState(row["state"]),
        opened_at=row["opened_at"],
        run=run,
        voices=voices,
        snapshot=Snapshot.model_validate_json(row["snapshot"]),
        owner=Owner(row["owner"], row["owner_reason"]),
        edited=row["edited"],
        touched=row["touched"],
        proposal=row["proposal"],
        acknowledged_at=row["acknowledged_at"],
        ended_at=row["ended_at"],
        cause=row["cause"],
        how=row["how"],
        incident=row["incident"],
        planned_at=row["planned_at"],
        confirmed_at=row["confirmed_at"],
        denied_at=row["denied_at"],
        watchers=tuple(UUID(user) for user in json.loads(row["watchers"])),
        undo=undoing.load(row["undo"]),
        team=row["team"],
    )
