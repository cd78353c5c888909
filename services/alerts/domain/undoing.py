"""Taking back what was pressed by mistake: the last action, by who did it, while nothing else has happened.

What was told stays told: levels of clocks are kept, and a clock that runs again rings only what is new.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from services.alerts.domain import ticket as life
from services.alerts.domain.model import Before, Entry, Kind, Refused, Step, Ticket, Undo
from shared.contracts import tickets as contract

WITHIN = timedelta(minutes=15)
UNDOABLE = frozenset({"acknowledge", "contacted", "plan", "assign", "resolve", "accept"})


def remember(before: Ticket, step: Step, action: str, by: UUID, at: datetime) -> Step:
    """Keep with the ticket how it was before an action, if that can be taken back."""
    if action not in UNDOABLE or step.ticket.edited == before.edited:
        return step
    was = Before(
        before.state,
        before.owner,
        before.acknowledged_at,
        before.run.contacted_at,
        before.ended_at,
        before.planned_at,
        before.run.follow_up_at,
        before.proposal,
        before.cause,
        before.how,
    )
    return replace(step, ticket=replace(step.ticket, undo=Undo(action, by, at, step.ticket.edited, was)))


def possible(ticket: Ticket, by: UUID, at: datetime) -> Undo | Refused:
    """What this person can take back now, or why nothing."""
    undo = ticket.undo
    if undo is None or undo.edited != ticket.edited:
        return Refused("There is nothing to take back: something else has happened since.")
    if undo.by != by:
        return Refused("Only who did it can take it back.")
    if at - undo.at > WITHIN:
        return Refused(f"That was more than {WITHIN // timedelta(minutes=1)} minutes ago.")
    return undo


def undo(ticket: Ticket, by: UUID, at: datetime) -> Step | Refused:
    """Put the ticket back to how it was before the last action."""
    found = possible(ticket, by, at)
    if isinstance(found, Refused):
        return found
    was = found.before
    back = life.edit(
        ticket,
        state=was.state,
        owner=was.owner,
        acknowledged_at=was.acknowledged_at,
        ended_at=was.ended_at,
        planned_at=was.planned_at,
        proposal=was.proposal,
        cause=was.cause,
        how=was.how,
        run=replace(ticket.run, contacted_at=was.contacted_at, follow_up_at=was.follow_up_at),
        undo=None,
    )
    entry = Entry(Kind.UNDONE, at, by, {"action": found.action})
    if ticket.state is back.state:
        return Step(back, (entry,))
    event = life.event_of(contract.TicketReopened, back, at, by=str(by), undone=True)
    return Step(back, (entry,), (event,))
