"""Keeps cases and their copies in helpdesks in step; no transaction is open while a helpdesk is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.alerts.domain import retry, words
from services.alerts.domain.alarm import Alarm, compose
from services.alerts.domain.helpdesk import Helpdesk
from services.alerts.domain.model import Entry, Kind, Occasion, Ticket
from services.alerts.domain.outside import Case, Difference, Here, Note, Outside, Plan, compare
from services.alerts.domain.routing import TEAM
from services.alerts.handlers import opening
from services.alerts.handlers.alarms import alarm_of
from services.alerts.handlers.applying import Desk
from services.alerts.handlers.applying import Note as Written
from services.alerts.store import cases, outside, rota, views
from services.alerts.store.notices import Notice
from services.alerts.store.outside import Copy
from shared.db.database import Database, Tx
from shared.errors import SendError
from shared.runtime.ids import random_id

AT_ONCE = 4
HOLD = timedelta(minutes=5)
"""How long a case stays with the one who took it; longer than all its requests together may take."""
SECONDS = 240.0
POLL = timedelta(minutes=2)
POLL_ENDED = timedelta(hours=1)
WATCHED = timedelta(days=14)
"""How long after its end a case is still compared: somebody may open its copy again."""
AGAIN = timedelta(hours=1)
"""When a helpdesk that refused is asked again: somebody may have mended its settings."""

_SAID = {
    Kind.ACKNOWLEDGED: "took the case",
    Kind.CONTACTED: "spoke with the customer",
    Kind.ATTEMPTED: "tried to reach the customer",
    Kind.NOTED: "wrote",
    Kind.RESOLVED: "resolved the case",
    Kind.REOPENED: "opened the case again",
}


@dataclass(frozen=True, slots=True)
class Work:
    """A copy to be compared, with the case as it stands here."""

    copy: Copy
    ticket: Ticket
    case: Case
    here: Here


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it: a plan carried out, a copy that is gone, or trouble."""

    outside_id: str
    plan: Plan | None = None
    there: Outside | None = None
    trouble: SendError | None = None


async def sync(desk: Desk, db: Database, helpdesk: Helpdesk, public_url: str) -> int:
    """Compare the cases of one helpdesk that are due; returns how many were."""
    lease = random_id()
    async with db.begin() as tx:
        wall = desk.machine.wall()
        taken = await outside.claim(tx.conn, helpdesk.name, lease, wall, hold=HOLD, limit=AT_ONCE)
        work = [await _work(desk, tx, copy, public_url) for copy in taken]
    if not work:
        return 0
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(_compare(helpdesk, one)) for one in work]
    async with db.begin() as tx:
        for one, task in zip(work, running, strict=True):
            await _record(desk, tx, one, task.result(), lease)
    return len(work)


async def _compare(helpdesk: Helpdesk, work: Work) -> Done:
    found = work.copy.outside_id
    try:
        async with asyncio.timeout(SECONDS):
            found = found or await helpdesk.find(work.ticket.id) or await helpdesk.create(work.case)
            there = await helpdesk.read(found)
            if there is None:
                return Done(found)
            plan = compare(work.copy.known, work.here, there)
            for note in plan.tell:
                await helpdesk.comment(found, note)
            if plan.settle is not None:
                await helpdesk.settle(found, solved=plan.settle)
    except SendError as error:
        return Done(found, trouble=error)
    except TimeoutError:
        return Done(found, trouble=SendError("no answer in time", permanent=False, uncertain=True))
    return Done(found, plan, there)


async def _record(desk: Desk, tx: Tx, work: Work, done: Done, lease: UUID) -> None:
    copy, wall = replace(work.copy, outside_id=done.outside_id), desk.machine.wall()
    lines: list[tuple[Entry, str]] = []
    if done.trouble is not None:
        wait = retry.next_attempt(
            min(copy.attempts, retry.TRIES - 1),
            permanent=done.trouble.permanent,
            retry_after=done.trouble.retry_after,
        )
        next_at: datetime | None = wall + (wait or AGAIN)
        if str(done.trouble) != copy.trouble:
            lines.append((_entry(tx, work, "trouble", why=str(done.trouble)), ""))
        copy = replace(copy, trouble=str(done.trouble))
    elif done.plan is None or done.there is None:
        next_at = None
        if copy.trouble != Difference.GONE.value:
            lines.append((_entry(tx, work, Difference.GONE.value), ""))
        copy = replace(copy, trouble=Difference.GONE.value, attempts=0)
    else:
        next_at = _next(work.ticket, tx.now, wall)
        lines.extend(_lines(tx, work, done.plan, done.there))
        copy = replace(copy, known=done.plan.known, trouble="", attempts=0)
    if await outside.record(tx.conn, copy, lease, wall, next_at):
        await _write(desk, tx, work.ticket, lines)


def _lines(tx: Tx, work: Work, plan: Plan, there: Outside) -> list[tuple[Entry, str]]:
    lines: list[tuple[Entry, str]] = []
    if not work.copy.outside_id:
        lines.append((_entry(tx, work, "created", id=there.id, url=there.url), ""))
    lines.extend((_entry(tx, work, "comment", by=c.by, url=there.url), c.text) for c in plan.take)
    if plan.difference is not None:
        lines.append((_entry(tx, work, plan.difference.value, url=there.url), ""))
    return lines


def _next(ticket: Ticket, now: datetime, wall: datetime) -> datetime | None:
    if ticket.ended_at is None:
        return wall + POLL
    return wall + POLL_ENDED if now - ticket.ended_at < WATCHED else None


def _entry(tx: Tx, work: Work, what: str, **more: str) -> Entry:
    return Entry(Kind.OUTSIDE, tx.now, data={"helpdesk": work.copy.helpdesk, "what": what, **more})


async def _write(desk: Desk, tx: Tx, ticket: Ticket, lines: Sequence[tuple[Entry, str]]) -> None:
    """Add lines to the timeline; what was written there speaks of a customer and is sealed."""
    about = UUID(ticket.snapshot.contact_id)
    sealed = await desk.sealer.seal(tx.conn, [(about, Written(text=said)) for _, said in lines if said])
    texts = iter(sealed)
    rows = [(ticket.id, entry, next(texts) if said else "", about) for entry, said in lines]
    await cases.append(tx.conn, rows)


async def _work(desk: Desk, tx: Tx, copy: Copy, public_url: str) -> Work:
    ticket = await cases.ticket(tx.conn, copy.ticket_id)
    assert ticket is not None  # noqa: S101 - a copy has its ticket by foreign key
    staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
    notice = Notice(copy.ticket_id, copy.ticket_id, Occasion.OPENED, "outside", copy.helpdesk, TEAM)
    alarm = await alarm_of(desk, tx, notice, staff, public_url)
    solved = ticket.ended_at is not None
    return Work(copy, ticket, _case(ticket.id, alarm), Here(solved, await _notes(desk, tx, ticket)))


def _case(ticket_id: UUID, alarm: Alarm) -> Case:
    text = compose(alarm)
    facts = "\n".join(f"{label}: {value}" for label, value in text.facts)
    said = f"They said:\n{text.quote}\n\n" if text.quote else ""
    account = f" ({alarm.account})" if alarm.account else ""
    return Case(
        ticket_id,
        f"{alarm.who or 'A customer'}{account} gave {words.score(alarm.score, alarm.scale)}",
        f"{said}{facts}\n\n{text.link}",
        alarm.priority,
        alarm.email,
        alarm.who,
        text.link,
    )


async def _notes(desk: Desk, tx: Tx, ticket: Ticket) -> tuple[Note, ...]:
    """What people did here and wrote, as the helpdesk is told."""
    rows = [row for row in await views.timeline(tx.conn, ticket.id) if row.by and Kind(row.kind) in _SAID]
    names = await rota.names(tx.conn)
    sealed = [(row.note_contact or UUID(ticket.snapshot.contact_id), row.note) for row in rows]
    texts = await opening.notes(desk.sealer, tx.conn, sealed) if sealed else []
    return tuple(
        Note(str(row.id), _words(names.get(row.by, "") if row.by else "", Kind(row.kind), text))
        for row, text in zip(rows, texts, strict=True)
    )


def _words(name: str, kind: Kind, text: str) -> str:
    return f"{name or 'Somebody'} {_SAID[kind]}{': ' + text if text else '.'}"
