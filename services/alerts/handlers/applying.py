"""Writes decisions about tickets: state, timeline, timers, notices and events, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from pydantic import BaseModel

from services.alerts import metrics
from services.alerts.domain import paging as pages
from services.alerts.domain import routing
from services.alerts.domain.case import WINDOW
from services.alerts.domain.causes import DEFAULT_CAUSES, Cause
from services.alerts.domain.model import Entry, Occasion, Step, Tell, Ticket
from services.alerts.domain.pace import Pace
from services.alerts.domain.priority import LARGE
from services.alerts.domain.rooms import NO_ROOMS, Rooms, kind_of
from services.alerts.domain.routing import Staff
from services.alerts.domain.teams import NO_ROSTER, Roster
from services.alerts.domain.thanking import Policy
from services.alerts.handlers import quieting
from services.alerts.store import cases, notices, outside, paging
from services.alerts.store.care import Memory
from services.alerts.store.notices import Notice
from shared.contracts import tickets as contract
from shared.db.database import Tx
from shared.runtime.clock import Machine
from shared.runtime.ids import derive
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from shared.words.dictionary import Ready


class Note(BaseModel):
    """What a person wrote down; sealed, because it speaks of a customer."""

    text: str


@dataclass(frozen=True, slots=True)
class Desk:
    """What decisions need besides the database.

    Attributes:
        rooms: channels that reach a room, the house's or a team's own.
        followers: kinds of them that also hear that a case was taken or has ended.
        ways: channels that reach one person, in the order in which they are tried.
        paces: how fast each channel may be given notices; one that is not in it, as fast as it takes them.
        helpdesks: names of those in which cases are kept in step.
        tokens: signs links by which a case is taken; without it notices have none.
        leadership: addresses of those who hear of the hard limit.
        roster: teams and routes of `alerts.yaml`.
        causes: the configured causes of unhappiness.
        group_within: answers of one account that come so soon after each other are one case.
        page_every: the shortest time between two pages of one person or room.
        large_account: annual value from which on an account raises the priority.
        replies: what customers hear by itself.
        dictionary: what open answers are read with; without it nobody knows what they are about.
        memory: sums of weeks that reports have read.
    """

    sealer: Sealer
    machine: Machine
    rooms: Rooms = NO_ROOMS
    followers: tuple[str, ...] = ()
    ways: tuple[str, ...] = ("email",)
    paces: Mapping[str, Pace] = field(default_factory=dict)
    helpdesks: tuple[str, ...] = ()
    tokens: Tokens | None = None
    leadership: tuple[str, ...] = ()
    roster: Roster = NO_ROSTER
    causes: tuple[Cause, ...] = DEFAULT_CAUSES
    group_within: timedelta = WINDOW
    page_every: timedelta = pages.EVERY
    large_account: float = LARGE
    replies: Policy = field(default_factory=Policy)
    dictionary: Ready | None = None
    memory: Memory = field(default_factory=Memory)


async def apply(desk: Desk, tx: Tx, steps: Sequence[Step], staff: Staff) -> None:
    """Write steps; of several about one ticket the last says how it stands."""
    newest = {step.ticket.id: step.ticket for step in steps}
    await cases.save(tx.conn, list(newest.values()))
    await cases.append(tx.conn, await _lines(desk, tx, steps))
    wanted = [n for step in steps for tell in step.tells for n in notices_of(desk, step.ticket, tell, staff)]
    wanted += [n for step in steps for n in followed(desk, step)]
    await tell(desk, tx, wanted, staff)
    changed = {step.ticket.id for step in steps if step.entries}
    await outside.enlist(tx.conn, changed, desk.helpdesks, desk.machine.wall())
    for step in steps:
        for event in step.events:
            identity = f"{step.ticket.id}/{event.version}"
            tx.emit(event, identity=identity, key=str(step.ticket.case_key))
        metrics.count(step.events, tx.now - step.ticket.run.started_at)


async def tell(desk: Desk, tx: Tx, every: Sequence[Notice], staff: Staff) -> None:
    """Send notices on their way, or hold those that can wait, or for whom it would be too many at once."""
    rule = desk.roster.quiet_hours
    asleep = await quieting.sleeping(tx, every, staff, rule.hours if rule else None, desk.large_account)
    waiting = [(every[place], wakes) for place, wakes in asleep.items()]
    await paging.hold_quiet(tx.conn, waiting, tx.now)
    zones = {str(member.user_id): member.zone for member in staff.members}
    lines = [quieting.line(n, wakes, zones[n.recipient], tx.now) for n, wakes in waiting]
    await cases.append(tx.conn, lines)
    wanted = [notice for place, notice in enumerate(every) if place not in asleep]
    doors = [(n.occasion, (n.channel, n.recipient)) for n in wanted]
    paged = {d for occasion, d in doors if occasion not in pages.AT_ONCE and d[0] not in pages.PROGRAMS}
    if desk.page_every > timedelta():
        busy = await paging.busy(tx.conn, paged, tx.now, desk.page_every)
    else:
        busy = {}
    split = pages.split(doors, busy, tx.now, desk.page_every)
    await notices.enqueue(tx.conn, [wanted[place] for place in split.now], tx.now, desk.machine.wall())
    await paging.hold(tx.conn, [(wanted[place], due_at) for place, due_at in split.held.items()], tx.now)
    metrics.HELD.inc(len(split.held))


async def _lines(desk: Desk, tx: Tx, steps: Sequence[Step]) -> list[tuple[UUID, Entry, str, UUID | None]]:
    noted = [(step.ticket, entry) for step in steps for entry in step.entries if entry.note.strip()]
    sealed = await desk.sealer.seal(
        tx.conn, [(_subject(ticket, entry.data), Note(text=entry.note.strip())) for ticket, entry in noted]
    )
    notes = {id(entry): text for (_, entry), text in zip(noted, sealed, strict=True)}
    return [
        (step.ticket.id, entry, notes.get(id(entry), ""), _subject(step.ticket, entry.data))
        for step in steps
        for entry in step.entries
    ]


def _subject(ticket: Ticket, data: Mapping[str, str]) -> UUID:
    """The person a note is about: the one spoken with, else the one whose answer opened the case."""
    return UUID(data.get("contact") or ticket.snapshot.contact_id)


def notices_of(desk: Desk, ticket: Ticket, tell: Tell, staff: Staff) -> list[Notice]:
    """One notice for each who is to be told on an occasion."""
    return [
        Notice(
            derive("notice", ticket.id, tell.step, recipient.channel, recipient.to),
            ticket.id,
            tell.occasion,
            tell.step,
            recipient.channel,
            recipient.to,
        )
        for recipient in routing.recipients(tell, ticket, staff, desk.rooms.of(ticket.team))
    ]


def followed(desk: Desk, step: Step) -> list[Notice]:
    """What partners that keep a state of their own hear: taken, or over; once for each run of a case."""
    ticket, found = step.ticket, dict.fromkeys(_NEWS[type(e)] for e in step.events if type(e) in _NEWS)
    return [
        Notice(
            derive("notice", ticket.id, f"{occasion.value}/{ticket.run.generation}", channel, routing.TEAM),
            ticket.id,
            occasion,
            f"{occasion.value}/{ticket.run.generation}",
            channel,
            routing.TEAM,
        )
        for occasion in found
        for channel in desk.rooms.of(ticket.team)
        if kind_of(channel) in desk.followers
    ]


_NEWS: Mapping[type[contract.Ticket], Occasion] = {
    contract.TicketAcknowledged: Occasion.TAKEN,
    contract.TicketContacted: Occasion.TAKEN,
    contract.TicketResolved: Occasion.ENDED,
}
