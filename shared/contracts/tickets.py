"""The life of a ticket: an unhappy customer and who takes care."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from shared.contracts.model import Instant, Payload, Snapshot
from shared.contracts.topics import Topic

BY_A_PERSON = "person"
"""How a case ended that somebody resolved; others ended by what the customer said."""


class TicketState(StrEnum):
    """Where a ticket stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CONTACTED = "contacted"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Ticket(Payload):
    """Fields of every ticket event. `owner` is a user's id or empty; `by` is a user's id or "system".

    `run` is 1 until the case is opened again, and rises each time that it is.
    """

    TOPIC: ClassVar[Topic] = Topic.TICKETS
    AGGREGATE: ClassVar[str] = "ticket"

    ticket_id: str
    version: int
    state: TicketState
    snapshot: Snapshot
    survey_ids: tuple[str, ...]
    contact_ids: tuple[str, ...]
    owner: str = ""
    by: str = "system"
    opened_at: Instant
    contact_due_at: Instant
    at: Instant
    run: int = 1


class TicketOpened(Ticket):
    """An unhappy answer opened a case."""

    TYPE: ClassVar[str] = "ticket.opened.v1"


class TicketJoined(Ticket):
    """Another voice of the same account's case."""

    TYPE: ClassVar[str] = "ticket.joined.v1"


class TicketAcknowledged(Ticket):
    """Somebody took it; the 24 hours keep running."""

    TYPE: ClassVar[str] = "ticket.acknowledged.v1"


class TicketContacted(Ticket):
    """Somebody spoke with the customer; this stops the 24-hour clock."""

    TYPE: ClassVar[str] = "ticket.contacted.v1"


class TicketEscalated(Ticket):
    """A clock ran out; `level` says how far up it went."""

    TYPE: ClassVar[str] = "ticket.escalated.v1"

    level: int
    clock: str


class TicketResolved(Ticket):
    """The case is closed with its cause; `how` says whether a person or a better amendment closed it.

    `contacted`: somebody spoke with the customer before.
    """

    TYPE: ClassVar[str] = "ticket.resolved.v1"

    cause: str = ""
    how: str = ""
    contacted: bool = False


class TicketReopened(Ticket):
    """The case is open again; its clocks start anew, or run on where somebody took back what ended them.

    `undone`: it was the latter, so that the case is in the same run as before.
    """

    TYPE: ClassVar[str] = "ticket.reopened.v1"

    undone: bool = False


class TicketRecovered(Ticket):
    """The customer confirmed that it was mended."""

    TYPE: ClassVar[str] = "ticket.recovered.v1"


TICKETS: tuple[type[Ticket], ...] = (
    TicketOpened,
    TicketJoined,
    TicketAcknowledged,
    TicketContacted,
    TicketEscalated,
    TicketResolved,
    TicketReopened,
    TicketRecovered,
)
TICKET_TYPES = tuple(ticket.TYPE for ticket in TICKETS)
"""The whole life of a ticket, for whoever follows it."""
