"""Checking off the steps of a case's playbook (R91)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.alerts.domain.model import Entry, Kind, Refused, Ticket
from services.alerts.domain.playbooks import PlaybookStep, StepState, steps_of
from services.alerts.handlers.actions import NoSuchTicketError
from services.alerts.handlers.applying import Desk
from services.alerts.store import cases, playbooks
from services.alerts.store.playbooks import Checked
from shared.db.database import Connection, Tx


@dataclass(frozen=True, slots=True)
class Listed:
    """A step of a case, and how far it is; `checked` is None while it is open."""

    step: PlaybookStep
    checked: Checked | None

    @property
    def state(self) -> StepState:
        """How far it is."""
        return self.checked.state if self.checked else StepState.OPEN


async def steps(desk: Desk, conn: Connection, ticket: Ticket) -> list[Listed]:
    """The steps of a case in their order."""
    named = await playbooks.of_ticket(conn, ticket.id)
    found = steps_of(named, ticket.snapshot, desk.roster.playbooks, ticket.themes)
    checked = await playbooks.checked(conn, ticket.id) if found else {}
    return [Listed(step, checked.get(step.key)) for step in found]


async def check(
    desk: Desk, tx: Tx, ticket_id: UUID, key: str, state: StepState, by: UUID
) -> list[Listed] | Refused:
    """Write down how far a step is, on the case's timeline too; twice is once.

    Raises:
        NoSuchTicketError: there is no ticket with this id.
    """
    case_key = await cases.lock_of(tx.conn, ticket_id)
    ticket = await cases.ticket(tx.conn, ticket_id) if case_key else None
    if ticket is None:
        raise NoSuchTicketError
    step = next((one.step for one in await steps(desk, tx.conn, ticket) if one.step.key == key), None)
    if step is None:
        return Refused("The playbook of this case has no such step.")
    if state not in step.states:
        return Refused("An offer is taken or refused, any other step is done.")
    if await playbooks.check(tx.conn, ticket_id, step, state, by, tx.now):
        entry = Entry(Kind.STEP, tx.now, by, {"step": step.text, "state": state.value})
        await cases.append(tx.conn, [(ticket_id, entry, "", None)])
    return await steps(desk, tx.conn, ticket)
