"""The steps of escalation policies: those that are due, and those whose telling was stopped too soon."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.alerts.domain import escalation
from services.alerts.domain.escalating import Lookout, climb
from services.alerts.domain.model import Step, Ticket
from services.alerts.domain.priority import Priority, rank
from services.alerts.domain.routing import Staff
from services.alerts.handlers.applying import Desk
from services.alerts.store import notices, paging, stakes
from shared.db.database import Tx


async def escalated(desk: Desk, tx: Tx, tickets: Sequence[Ticket], staff: Staff) -> list[Step]:
    """What each of these tickets tells because nobody takes it; those that tell nothing are left out."""
    due = [
        ticket
        for ticket in tickets
        if ticket.is_untaken
        and ticket.run.escalation is not None
        and escalation.overdue(ticket.run.escalation, ticket.run.calendar, tx.now)
    ]
    if not due:
        return []
    found = await stakes.of_tickets(tx.conn, {ticket.id for ticket in due})
    ranks = {key: rank(stake, tx.now.date(), desk.large_account).priority for key, stake in found.items()}
    lookout = Lookout(staff, tx.now)
    return [
        climb(ticket, ranks.get(ticket.id, Priority.NORMAL), lookout, desk.rooms.of(ticket.team))
        for ticket in due
    ]


async def tell_after_all(desk: Desk, tx: Tx, ticket: Ticket, since: datetime) -> None:
    """Nobody has taken the case after all: steps that were due before and not told since then are told."""
    await notices.tell_after_all(tx.conn, ticket.id, since, desk.machine.wall())
    await paging.hold_after_all(tx.conn, ticket.id, ticket.run.generation)
