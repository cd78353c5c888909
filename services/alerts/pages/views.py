"""What the pages show, put together from rows and opened for the one who looks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from services.alerts.domain import words
from services.alerts.domain.escalating import coming
from services.alerts.domain.model import Answer, Kind, Ticket
from services.alerts.domain.routing import Staff
from services.alerts.handlers import opening
from services.alerts.handlers.alarms import ranked
from services.alerts.handlers.applying import Desk
from services.alerts.pages.timeline import (
    Reader,
    Sentence,
    asked,
    coming_words,
    sentence,
    told_together,
    tries,
    written,
)
from services.alerts.store import cases, journal, messages, questions, rota, views
from services.alerts.store.views import AccountCopy, ContactCopy, Line
from shared.contracts.model import Person
from shared.contracts.responses import Mood
from shared.contracts.tickets import TicketState
from shared.db.database import Connection
from shared.web.dates import countdown, zone_of

HISTORY = 8
MORNING, EVENING = 8, 20

STATES: dict[str, tuple[str, str]] = {
    "open": ("New", "danger"),
    "acknowledged": ("Taken", "warn"),
    "contacted": ("Contacted", "ok"),
    "resolved": ("Resolved, not confirmed", "ok"),
    "closed": ("Closed by itself", "neutral"),
}
"""Each state in a word, with the look of its badge."""


CONFIRMED = ("Confirmed by the customer", "ok")


def state_of(ticket: Ticket) -> tuple[str, str]:
    """The state in a word; what was agreed and what the customer confirmed are said too."""
    if ticket.confirmed_at is not None:
        return CONFIRMED
    if ticket.denied_at is not None and ticket.state is TicketState.OPEN:
        return ("Not mended: open again", "danger")
    if ticket.state is TicketState.CONTACTED and ticket.planned_at is not None:
        return ("Plan agreed", "ok")
    return STATES[ticket.state.value]


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline in words; `state` is ok, warn or danger."""

    text: str
    what: str
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """A case in the inbox; `untaken` while nobody has said that it is theirs."""

    id: UUID
    version: int
    untaken: bool
    due: Due | None
    who: str
    account: str
    tier: str
    score: str
    scale: str
    better: bool
    said: str
    state: tuple[str, str]
    owner: str
    others: int
    proposal: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Unsure:
    """An unconfirmed answer in the inbox."""

    response_id: UUID
    due: Due
    who: str
    account: str
    score: str
    said: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VoiceView:
    """One person of a case and what they said."""

    contact_id: UUID
    who: str
    job: str
    phone: str
    tel: str
    email: str
    local_time: str
    night: bool
    score: str
    scale: str
    touchpoint: str
    said: str
    at: datetime
    state: str
    erased: bool


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier answer or case of the same customer."""

    at: datetime
    score: str
    about: str
    mood: str
    href: str = ""


Step = Literal["acknowledge", "contact", "plan", "resolve", "accept", "confirm", "reopen"]


@dataclass(frozen=True, slots=True)
class CasePage:
    """Everything on the page of a case."""

    ticket: Ticket
    first: VoiceView
    others: tuple[VoiceView, ...]
    due: Due | None
    state: tuple[str, str]
    next: Step
    account: AccountCopy | None
    account_name: str
    tier: str
    owner: str
    priority: str
    reasons: tuple[str, ...]
    coming: str
    attempts: int
    sentences: tuple[Sentence, ...]
    history: tuple[Past, ...]
    past_cases: tuple[Past, ...]
    themes: tuple[str, ...]
    workers: tuple[tuple[str, str], ...]


async def rows(desk: Desk, conn: Connection, found: list[Line], now: datetime) -> list[Row]:
    """The inbox's lines."""
    people = await opening.people(desk.sealer, conn, [(li.contact_id, li.person) for li in found])
    said = await opening.words(desk.sealer, conn, [line.answer for line in found])
    names = await rota.names(conn)
    return [
        Row(
            id=line.ticket_id,
            version=line.version,
            untaken=line.state == TicketState.OPEN.value,
            due=_due_of(line, now),
            who=who.name or who.email or "Erased contact",
            account=line.account_name,
            tier=_tier(line.tier),
            score=words.score(line.answer.score, line.answer.scale),
            scale=words.scale_short(line.answer.scale),
            better=line.people == 0,
            said=text,
            state=CONFIRMED if line.confirmed else STATES[line.state],
            owner=names.get(line.owner, "Somebody who has left") if line.owner else "Nobody yet",
            others=max(line.people - 1, 0),
            proposal=line.proposal,
            ended_at=line.ended_at,
        )
        for line, who, text in zip(found, people, said, strict=True)
    ]


async def unsure(desk: Desk, conn: Connection, now: datetime, limit: int) -> list[Unsure]:
    """Unconfirmed answers."""
    found = await views.waiting(conn, limit)
    people = await opening.people(desk.sealer, conn, [(w.contact_id, w.person) for w in found])
    said = await opening.words(desk.sealer, conn, [w.answer for w in found])
    return [
        Unsure(
            response_id=w.answer.response_id,
            due=due(w.due_at, now, "to look at it"),
            who=who.name or who.email or "Erased contact",
            account=w.answer.snapshot.account_name,
            score=f"{words.score(w.answer.score, w.answer.scale)} ({words.scale_short(w.answer.scale)})",
            said=text,
            evidence=tuple(words.plain(code) for code in w.answer.evidence),
        )
        for w, who, text in zip(found, people, said, strict=True)
    ]


async def case_page(desk: Desk, conn: Connection, ticket: Ticket, staff: Staff, now: datetime) -> CasePage:
    """The page of one case."""
    said = await views.voices(conn, ticket.id)
    voices = await _voices(desk, conn, said, now)
    account = await views.account(conn, said[0][0].account_id if said else None)
    names = await rota.names(conn)
    tier = (account.tier if account else "") or (ticket.snapshot.tier.value if ticket.snapshot.tier else "")
    priority = ranked(desk, said, tier, account, now, denied=bool(ticket.denied_at))
    reader = Reader(names, {voice.contact_id: voice.who for voice in voices}, desk.causes)
    return CasePage(
        ticket=ticket,
        first=voices[0] if voices else NOBODY,
        others=tuple(voices[1:]),
        due=_ticket_due(ticket, now),
        state=state_of(ticket),
        next=next_step(ticket),
        account=account,
        account_name=(account.name if account else "") or ticket.snapshot.account_name,
        tier=_tier(tier),
        owner=names.get(ticket.owner.user_id, "") if ticket.owner.user_id else "",
        priority=priority.priority.word,
        reasons=priority.reasons,
        coming=coming_words(
            coming(ticket, priority.priority, staff, now, desk.rooms.of(ticket.team)), reader, now
        ),
        attempts=await cases.attempts(conn, ticket.id, ticket.run.started_at),
        sentences=await _sentences(desk, conn, ticket, reader, now),
        history=await _history(conn, ticket),
        past_cases=await _past_cases(conn, ticket),
        themes=_named(desk, ticket.themes),
        workers=tuple((str(m.user_id), m.name) for m in staff.members if m.user_id in staff.workers),
    )


def _named(desk: Desk, themes: Iterable[str]) -> tuple[str, ...]:
    """Themes as a rep calls them."""
    written = desk.dictionary.written if desk.dictionary else None
    return tuple(written.name_of(theme, "en") if written else theme for theme in themes)


def next_step(ticket: Ticket) -> Step:
    """The one thing to do now."""
    if ticket.proposal:
        return "accept"
    match ticket.state:
        case TicketState.OPEN:
            return "acknowledge"
        case TicketState.ACKNOWLEDGED:
            return "contact"
        case TicketState.CONTACTED:
            return "resolve" if ticket.planned_at is not None else "plan"
        case TicketState.RESOLVED if ticket.confirmed_at is None:
            return "confirm"
        case TicketState.RESOLVED | TicketState.CLOSED:
            return "reopen"


def due(at: datetime, now: datetime, what: str) -> Due:
    """A deadline, said."""
    return Due(words.left(at, now), what, countdown(at, now, "en").state, at)


def _ticket_due(ticket: Ticket, now: datetime) -> Due | None:
    if not ticket.is_open:
        return None
    if ticket.run.contacted_at is None:
        return due(ticket.run.contact_due_at, now, "to speak with them")
    return due(ticket.run.resolve_due_at, now, "to resolve it")


def _due_of(line: Line, now: datetime) -> Due | None:
    if line.ended_at is not None:
        return None
    return due(line.breach_at, now, "to resolve" if line.contacted else "to contact")


async def _voices(
    desk: Desk, conn: Connection, said: list[tuple[Answer, str]], now: datetime
) -> list[VoiceView]:
    copies = await views.contacts(conn, {answer.contact_id for answer, _ in said})
    sealed = [opening.sealed_of(answer, copies.get(answer.contact_id)) for answer, _ in said]
    people = await opening.people(desk.sealer, conn, sealed)
    texts = await opening.words(desk.sealer, conn, [answer for answer, _ in said])
    return [
        _voice(answer, state, person, text, copies.get(answer.contact_id), now)
        for (answer, state), person, text in zip(said, people, texts, strict=True)
    ]


def _voice(
    answer: Answer, state: str, person: Person, said: str, copy: ContactCopy | None, now: datetime
) -> VoiceView:
    local = now.astimezone(zone_of((copy.zone if copy else "") or answer.snapshot.zone))
    erased = not (person.name or person.email)
    return VoiceView(
        contact_id=answer.contact_id,
        who=person.name or person.email or "Erased contact",
        job=words.plain((copy.job_function if copy else "") or answer.snapshot.job_function),
        phone=person.phone,
        tel="".join(c for c in person.phone if c.isdigit() or c == "+"),
        email=person.email,
        local_time=f"{local:%H:%M}",
        night=not MORNING <= local.hour < EVENING,
        score=words.score(answer.score, answer.scale),
        scale=words.scale_short(answer.scale),
        touchpoint=words.plain(answer.snapshot.touchpoint),
        said=said,
        at=answer.received_at,
        state=state,
        erased=erased,
    )


NOBODY = VoiceView(
    contact_id=UUID(int=0),
    who="Nobody",
    job="",
    phone="",
    tel="",
    email="",
    local_time="",
    night=False,
    score="no score",
    scale="",
    touchpoint="",
    said="",
    at=datetime(2000, 1, 1, tzinfo=UTC),
    state="withdrawn",
    erased=False,
)
"""Stands for the voice of a case whose only voice went to another one."""


async def _sentences(
    desk: Desk, conn: Connection, ticket: Ticket, reader: Reader, now: datetime
) -> tuple[Sentence, ...]:
    found = await views.timeline(conn, ticket.id)
    noted = [(row, row.note_contact) for row in found if row.note and row.note_contact]
    sealed = [(contact_id, row.note) for row, contact_id in noted]
    opened = await opening.notes(desk.sealer, conn, sealed)
    notes = {id(row): text for (row, _), text in zip(noted, opened, strict=True)}
    lines = [(row, notes.get(id(row), "")) for row in found if row.kind != Kind.TOLD]
    said = [sentence(row, note, reader) for row, note in lines]
    told = told_together([row for row in found if row.kind == Kind.TOLD], reader)
    tried = [line for one in await journal.of_ticket(conn, ticket.id) if (line := tries(one, reader))]
    mails = [written(one, reader) for one in await messages.of_ticket(conn, ticket.id)]
    asking = [asked(one, reader, now) for one in await questions.of_ticket(conn, ticket.id)]
    lines_of_all = (*said, *told, *tried, *mails, *asking)
    return tuple(sorted(lines_of_all, key=lambda line: (line.at, line.place), reverse=True))


async def _history(conn: Connection, ticket: Ticket) -> tuple[Past, ...]:
    mine = [voice.response_id for voice in ticket.voices]
    return tuple(
        Past(
            answer.received_at,
            words.score(answer.score, answer.scale),
            f"{words.scale_short(answer.scale)} after {words.plain(answer.snapshot.touchpoint)}",
            "" if answer.mood is Mood.UNHAPPY else "better",
        )
        for answer in await views.history(conn, ticket.case_key, mine, HISTORY)
    )


async def _past_cases(conn: Connection, ticket: Ticket) -> tuple[Past, ...]:
    return tuple(
        Past(row.opened_at, STATES[row.state][0], words.plain(row.cause), "", f"/tickets/{row.ticket_id}")
        for row in await views.past_cases(conn, ticket.case_key, ticket.id, HISTORY)
    )


def _tier(tier: str) -> str:
    return f"{tier} account" if tier in {"key", "premium"} else ""
