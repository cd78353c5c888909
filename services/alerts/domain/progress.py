"""What happens between the contact and the customer's word that it is mended (R72).

```
CONTACTED ── plan (what, and when they hear from us again) ── resolve ──► RESOLVED ── confirm ──► confirmed
    ▲                       │ the promised day came: the owner is told         │
    └── follow-up ◄─────────┘                     deny: open again, managers too ──► OPEN
```
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from services.alerts.domain import ticket as life
from services.alerts.domain.model import Audience, Entry, Kind, Occasion, Refused, Step, Tell, Ticket
from shared.contracts import tickets as contract
from shared.contracts.tickets import TicketState

FURTHEST = timedelta(days=90)
"""No customer waits longer than that for the next word."""
MAX_LINK = 2000


def plan(ticket: Ticket, by: UUID, at: datetime, note: str, follow_up_at: datetime | None) -> Step | Refused:
    """Write down what was agreed with the customer, and when they hear from us again."""
    if not ticket.is_open:
        return Refused("The case has ended meanwhile. Reopen it if something is left to do.")
    if ticket.state is not TicketState.CONTACTED:
        return Refused("Speak with the customer first, then write down what you agreed.")
    if not note.strip():
        return Refused("Write down what will be done.")
    if follow_up_at is not None and not at < follow_up_at <= at + FURTHEST:
        return Refused(
            f"Choose a moment within the next {FURTHEST.days} days for the next word to the customer."
        )
    run = replace(ticket.run, follow_up_at=follow_up_at)
    ticket = life.edit(ticket, run=run, planned_at=ticket.planned_at or at, touched=True)
    data = {"follow_up": follow_up_at.isoformat()} if follow_up_at else {}
    return Step(ticket, (Entry(Kind.PLANNED, at, by, data, note),))


def learned(step: Step, lesson: str) -> Step:
    """Add to the end of a case what others can learn from it (R72)."""
    end = next((entry for entry in step.entries if entry.kind is Kind.RESOLVED), None)
    if end is None or not lesson.strip():
        return step
    return replace(step, entries=(*step.entries, replace(end, kind=Kind.LEARNED, note=lesson)))


def confirm(ticket: Ticket, by: UUID | None, at: datetime, note: str = "") -> Step | Refused:
    """The customer says that it is mended."""
    if ticket.state is not TicketState.RESOLVED:
        return Refused("Only a resolved case can be confirmed by the customer.")
    if ticket.confirmed_at is not None:
        return Step(ticket)
    ticket = life.edit(ticket, confirmed_at=at, denied_at=None)
    event = life.event_of(contract.TicketRecovered, ticket, at, by=str(by) if by else "system")
    told = Tell(
        Occasion.CONFIRMED,
        f"confirmed/{ticket.run.generation}",
        frozenset({Audience.OWNER, Audience.WATCHERS}),
    )
    return Step(ticket, (Entry(Kind.CONFIRMED, at, by, note=note),), (event,), (told,))


def deny(ticket: Ticket, by: UUID | None, at: datetime, note: str = "") -> Step | Refused:
    """The customer says that it is not mended: the case is open again, and the managers hear of it."""
    if ticket.state is not TicketState.RESOLVED:
        return Refused("The case is not resolved, so there is nothing to deny.")
    said = Entry(Kind.DENIED, at, by, note=note)
    again = life.reopen(replace(ticket, denied_at=at), at, by)
    audiences = frozenset({Audience.OWNER, Audience.TEAM, Audience.MANAGERS, Audience.WATCHERS})
    told = Tell(Occasion.DENIED, f"denied/{again.ticket.run.generation}", audiences)
    return replace(again, entries=(said, *again.entries), tells=(told,))


def link(ticket: Ticket, by: UUID, at: datetime, url: str) -> Step | Refused:
    """Put a document beside the case by its address: files stay where they are."""
    if not is_link(url):
        return Refused("Give the whole address of the document, like https://files.example.com/report.pdf.")
    changed = replace(ticket, version=ticket.version + 1, touched=True)
    return Step(changed, (Entry(Kind.LINKED, at, by, note=url.strip()),))


def is_link(url: str) -> bool:
    """Whether this is an address that may stand on a page as a link."""
    text = url.strip()
    try:
        parts = urlsplit(text)
        named = bool(parts.hostname) and not parts.username
    except ValueError:
        return False
    plain = text.isprintable() and " " not in text and len(text) <= MAX_LINK
    return plain and named and parts.scheme in {"http", "https"}


def watch(ticket: Ticket, by: UUID, *, on: bool) -> Step:
    """Somebody wants to hear how it goes on, or no longer."""
    if (by in ticket.watchers) is on:
        return Step(ticket)
    others = tuple(user for user in ticket.watchers if user != by)
    changes: dict[str, Any] = {"watchers": (*others, by) if on else others, "version": ticket.version + 1}
    return Step(replace(ticket, **changes))
