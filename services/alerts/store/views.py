"""What pages, API and notices show. Personal data stays sealed here; whoever shows it opens it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

import asyncpg

from services.alerts.domain.model import Answer
from services.alerts.store import answers as answer_store
from shared.db.database import Connection
from shared.db.merged import family

_ANSWER = ", ".join("a." + name.strip() for name in answer_store.COLUMNS.split(","))
_OPEN = "t.state in ('open', 'acknowledged', 'contacted')"


@dataclass(frozen=True, slots=True)
class Line:
    """A ticket in a list, with its gravest voice."""

    ticket_id: UUID
    state: str
    version: int
    opened_at: datetime
    breach_at: datetime
    contacted: bool
    contact_due_at: datetime
    owner: UUID | None
    proposal: str
    how: str
    ended_at: datetime | None
    confirmed: bool
    told: int
    people: int
    account_name: str
    tier: str
    account_id: UUID | None
    answer: Answer
    contact_id: UUID
    person: str


@dataclass(frozen=True, slots=True)
class ContactCopy:
    """A contact as the directory knows it now; `contact_id` is the one whose key sealed `person`."""

    contact_id: UUID
    person: str
    job_function: str
    persona: str
    zone: str
    locale: str
    erased: bool


@dataclass(frozen=True, slots=True)
class AccountCopy:
    """An account as the directory knows it now."""

    account_id: UUID
    name: str
    tier: str
    industry: str
    owner: str
    annual_value: float | None
    phase: str
    renewal_on: date | None


@dataclass(frozen=True, slots=True)
class PastCase:
    """Another case of an account."""

    ticket_id: UUID
    state: str
    opened_at: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One line of a timeline, its note still sealed."""

    id: int
    at: datetime
    by: UUID | None
    kind: str
    data: Mapping[str, str]
    note: str
    note_contact: UUID | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An unconfirmed answer in the inbox."""

    answer: Answer
    due_at: datetime
    late: bool
    contact_id: UUID
    person: str


@dataclass(frozen=True, slots=True)
class Query:
    """What is wanted of the list of tickets.

    Attributes:
        unowned_too: with `owner`, those without any owner as well.
        before: only what breaches until then.
        contact: only cases in which this person has a voice, under whichever id.
        team: only cases of this team, "" for the shared rota.
        after: the last line of the page before.
    """

    owner: UUID | None = None
    unowned_too: bool = False
    ended: bool = False
    before: datetime | None = None
    state: str = ""
    contact: UUID | None = None
    team: str | None = None
    limit: int = 50
    after: tuple[datetime, UUID] | None = None


async def lines(conn: Connection, query: Query) -> list[Line]:
    """Tickets: open ones by what breaches first, ended ones by what ended last."""
    order = "t.ended_at desc, t.id desc" if query.ended else "t.breach_at, t.id"
    beyond = "(t.ended_at, t.id) < ($4, $5)" if query.ended else "(t.breach_at, t.id) > ($4, $5)"
    rows = await conn.fetch(
        f"""
        select t.id, t.state as ticket_state, t.version as ticket_version, t.opened_at, t.breach_at,
            t.contacted_at,
            t.contact_due_at, t.owner, t.proposal, t.how, t.ended_at, t.told, t.confirmed_at,
            (select count(distinct coalesce(m.id, v.contact_id)) from voices v
                left join merged m on m.former = v.contact_id
                where v.ticket_id = t.id and v.state = 'unhappy') as people,
            coalesce(nullif(c.name, ''), t.snapshot ->> 'account_name') as account_name,
            coalesce(nullif(c.tier, ''), t.snapshot ->> 'tier', '') as account_tier,
            coalesce(ma.id, worst.account_id) as account_known_as,
            coalesce(p.contact_id, worst.contact_id) as known_as, coalesce(p.person, '') as contact_person,
            worst.*
        from (
            select * from tickets t
            where {"t.ended_at is not null" if query.ended else _OPEN}
                and ($1::uuid is null or t.owner = $1 or ($2 and t.owner is null))
                and ($6 = '' or t.state = $6)
                and ($7::timestamptz is null or t.breach_at <= $7)
                and ($8::uuid[] is null or exists (
                    select from voices v where v.ticket_id = t.id and v.contact_id = any($8)))
                and ($9::text is null or t.team = $9)
                and ($4::timestamptz is null or {beyond})
            order by {order} limit $3
        ) t
        cross join lateral (
            select {_ANSWER}
            from voices v join answers a using (response_id)
            where v.ticket_id = t.id
            order by v.state = 'unhappy' desc, a.score nulls last, v.place limit 1
        ) worst
        left join merged m on m.former = worst.contact_id
        left join contacts p on p.contact_id = coalesce(m.id, worst.contact_id)
        left join merged ma on ma.former = worst.account_id
        left join accounts c on c.account_id = coalesce(ma.id, worst.account_id)
        order by {order}
        """,  # noqa: S608 - fragments of our own
        query.owner,
        query.unowned_too,
        query.limit,
        *(query.after or (None, None)),
        query.state,
        query.before,
        await family(conn, query.contact) if query.contact else None,
        query.team,
    )
    return [_line(row) for row in rows]


async def voices(conn: Connection, ticket_id: UUID) -> list[tuple[Answer, str]]:
    """The answers of a case with the state of each voice: unhappy first, the lowest score first."""
    rows = await conn.fetch(
        f"""
        select {_ANSWER}, v.state as voice_state, coalesce(m.id, a.contact_id) as known_as
        from voices v join answers a using (response_id)
        left join merged m on m.former = a.contact_id
        where v.ticket_id = $1 order by v.state = 'unhappy' desc, a.score nulls last, v.place
        """,  # noqa: S608 - columns of our own
        ticket_id,
    )
    return [(replace(answer_store.read(row), known_as=row["known_as"]), row["voice_state"]) for row in rows]


async def gravest(conn: Connection, ticket_ids: Collection[UUID]) -> dict[UUID, tuple[Answer, str]]:
    """The gravest voice of each case, with its sealed person."""
    rows = await conn.fetch(
        f"""
        select distinct on (v.ticket_id) v.ticket_id, {_ANSWER},
            coalesce(nullif(p.person, ''), a.person) as contact_person
        from voices v join answers a using (response_id)
        left join contacts p on p.contact_id = a.contact_id
        where v.ticket_id = any($1)
        order by v.ticket_id, v.state = 'unhappy' desc, a.score nulls last, v.place
        """,  # noqa: S608 - columns of our own
        list(ticket_ids),
    )
    return {row["ticket_id"]: (answer_store.read(row), row["contact_person"]) for row in rows}


async def history(conn: Connection, case_key: UUID, leave_out: Collection[UUID], limit: int) -> list[Answer]:
    """Earlier answers of the same account, newest first; of who was merged, under all ids."""
    rows = await conn.fetch(
        f"""
        select {answer_store.COLUMNS} from answers
        where case_key = any($1) and standing = 'counted' and response_id <> all($2)
        order by received_at desc limit $3
        """,  # noqa: S608 - columns of our own
        await family(conn, case_key),
        list(leave_out),
        limit,
    )
    return [answer_store.read(row) for row in rows]


async def past_cases(conn: Connection, case_key: UUID, but: UUID, limit: int) -> list[PastCase]:
    """Other cases of the same account, newest first; of who was merged, under all ids."""
    rows = await conn.fetch(
        """
        select id as ticket_id, state, opened_at, cause from tickets
        where case_key = any($1) and id <> $2 order by opened_at desc limit $3
        """,
        await family(conn, case_key),
        but,
        limit,
    )
    return [PastCase(**dict(row)) for row in rows]


async def timeline(conn: Connection, ticket_id: UUID) -> list[TimelineRow]:
    """Everything that happened to a ticket, in order."""
    rows = await conn.fetch(
        """
        select id, at, by_user, kind, data, note, note_contact from timeline
        where ticket_id = $1 order by id
        """,
        ticket_id,
    )
    return [
        TimelineRow(
            r["id"], r["at"], r["by_user"], r["kind"], json.loads(r["data"]), r["note"], r["note_contact"]
        )
        for r in rows
    ]


async def contacts(conn: Connection, contact_ids: Collection[UUID]) -> dict[UUID, ContactCopy]:
    """Copies of these contacts, each under the id that was asked for; of who was merged, as they are now."""
    rows = await conn.fetch(
        """
        select asked, c.contact_id, c.person, c.job_function, c.persona, c.zone, c.locale, c.erased
        from unnest($1::uuid[]) as asked left join merged m on m.former = asked
        join contacts c on c.contact_id = coalesce(m.id, asked)
        """,
        list(contact_ids),
    )
    return {row["asked"]: ContactCopy(*tuple(row)[1:]) for row in rows}


async def account(conn: Connection, account_id: UUID | None) -> AccountCopy | None:
    """The copy of one account; of one that was merged, of the one that stays."""
    row = await conn.fetchrow(
        """
        select account_id, name, tier, industry, owner, annual_value, phase, renewal_on from accounts
        where account_id = coalesce((select id from merged where former = $1), $1)
        """,
        account_id,
    )
    return AccountCopy(**dict(row)) if row else None


async def waiting(conn: Connection, limit: int) -> list[Waiting]:
    """Unconfirmed answers that somebody should look at, the oldest first."""
    rows = await conn.fetch(
        f"""
        select {_ANSWER},
            u.due_at, u.late_at is not null as late, coalesce(p.contact_id, a.contact_id) as known_as,
            coalesce(p.person, a.person) as contact_person
        from unconfirmed u join answers a using (response_id)
        left join merged m on m.former = a.contact_id
        left join contacts p on p.contact_id = coalesce(m.id, a.contact_id) and p.person <> ''
        where u.state = 'waiting' order by u.due_at limit $1
        """,  # noqa: S608 - columns of our own
        limit,
    )
    return [
        Waiting(answer_store.read(r), r["due_at"], r["late"], r["known_as"], r["contact_person"])
        for r in rows
    ]


async def counts(conn: Connection, user_id: UUID, now: datetime, soon: datetime) -> Mapping[str, int]:
    """Numbers on the tabs of the inbox."""
    row = await conn.fetchrow(
        f"""
        select count(*) filter (where owner = $1 or owner is null) as mine, count(*) as team,
            count(*) filter (where breach_at <= $3) as soon, count(*) filter (where breach_at <= $2) as late,
            (select count(*) from unconfirmed where state = 'waiting') as unconfirmed
        from tickets t where {_OPEN}
        """,  # noqa: S608 - a fragment of our own
        user_id,
        now,
        soon,
    )
    return dict(row) if row else {}


def _line(row: asyncpg.Record) -> Line:
    answer = answer_store.read(row)
    return Line(
        ticket_id=row["id"],
        state=row["ticket_state"],
        version=row["ticket_version"],
        opened_at=row["opened_at"],
        breach_at=row["breach_at"],
        contacted=row["contacted_at"] is not None,
        contact_due_at=row["contact_due_at"],
        owner=row["owner"],
        proposal=row["proposal"],
        how=row["how"],
        ended_at=row["ended_at"],
        confirmed=row["confirmed_at"] is not None,
        told=row["told"],
        people=row["people"],
        account_name=row["account_name"],
        tier=row["account_tier"],
        account_id=row["account_known_as"],
        answer=answer,
        contact_id=row["known_as"] if row["contact_person"] else answer.contact_id,
        person=row["contact_person"] or answer.person,
    )
