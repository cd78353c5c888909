"""A case that was resolved is a moment worth a question: did we fix it (R72)?

The ticket becomes a touchpoint of our own on the log of all others, so that a programme asks and the whole
gate applies. Where no programme listens nothing is told. What is decided about the question is announced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.trigger.domain.model import Contact, Decision, identity
from services.trigger.domain.survey import survey_id_of
from services.trigger.store import directory, programmes
from services.trigger.store.leads import PEOPLE, current_ids
from shared.contracts.cases import QuestionDecided
from shared.contracts.envelope import Event
from shared.contracts.programmes import ProgrammeState
from shared.contracts.reasons import Reason
from shared.contracts.tickets import BY_A_PERSON, Ticket, TicketReopened, TicketResolved
from shared.contracts.touchpoints import (
    CASE_REOPENED,
    CASE_RESOLVED,
    Subject,
    Touchpoint,
    TouchpointContact,
)
from shared.db.database import Tx

OF_CASES = frozenset({CASE_RESOLVED, CASE_REOPENED})
"""What is told of cases."""


async def tell_of_cases(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Announce cases that people resolved, and those that are open again."""
    news = [found for event in events for found in _news(event.data)]
    if not news or not await _listened_to(tx):
        return
    named = {UUID(who) for ticket, _, _ in news for who in ticket.contact_ids}
    leads = await current_ids(tx.conn, PEOPLE, named)
    known = await directory.get_contacts(tx.conn, set(leads.values()))
    for ticket, kind, run in news:
        ids = dict.fromkeys(leads[UUID(who)] for who in ticket.contact_ids)
        people = tuple(_told(known[who]) for who in ids if who in known)
        if people:
            told, version = _touchpoint(ticket, run, people), f"{ticket.ticket_id}/{ticket.version}"
            tx.emit(told, identity=version, key=ticket.snapshot.key, event_type=kind)


def _news(ticket: Ticket) -> Iterator[tuple[Ticket, str, int]]:
    """What a ticket's event means for the question, and which run of the case the question is about.

    Whoever opens a case again ends the question of the run before; whoever takes resolving back, of this one.
    """
    if isinstance(ticket, TicketResolved) and ticket.how == BY_A_PERSON:
        yield ticket, CASE_RESOLVED, ticket.run
    elif isinstance(ticket, TicketReopened):
        yield ticket, CASE_REOPENED, ticket.run if ticket.undone else ticket.run - 1


async def _listened_to(tx: Tx) -> bool:
    editions = await programmes.current_editions(tx.conn)
    return any(
        CASE_RESOLVED in edition.programme.touchpoints
        for edition in editions
        if edition.state is not ProgrammeState.ARCHIVED
    )


def _told(contact: Contact) -> TouchpointContact:
    """The person by reference; of somebody who was erased nothing else is left, and the gate says so."""
    return TouchpointContact(id=contact.external_id, ref=str(contact.id), sealed=contact.person)


def _touchpoint(ticket: Ticket, run: int, people: tuple[TouchpointContact, ...]) -> Touchpoint:
    contacted = isinstance(ticket, TicketResolved) and ticket.contacted
    return Touchpoint(
        occurred_at=ticket.at,
        contacts=people,
        product=ticket.snapshot.product,
        # Counted by run: a case that was opened and resolved again is asked about again.
        subject=Subject(kind="ticket", id=f"{ticket.ticket_id}/{run}"),
        context={"case": ticket.ticket_id, "run": run, "contacted": contacted},
    )


class Decided(NamedTuple):
    """A decision about the question of a case, with what the case's event told."""

    decision: Decision
    told: Mapping[str, object]
    until: datetime | None = None


def tell_of_questions(tx: Tx, decided: Iterable[Decided]) -> None:
    """Announce who is asked about their case and who is not, for the case's own page."""
    for decision, told, until in decided:
        if decision.shadow or decision.contact_id is None or decision.reason is Reason.DUPLICATE:
            continue
        asked = _question_of(decision, told, until, tx.now)
        if asked is not None:
            key = str(decision.account_id or decision.contact_id)
            name = f"{asked.question_id}/{decision.outcome}/{tx.now.isoformat()}"
            tx.emit(asked, identity=name, key=key)


def _question_of(
    decision: Decision, told: Mapping[str, object], until: datetime | None, now: datetime
) -> QuestionDecided | None:
    case, run = str(told.get("case", "")), str(told.get("run", ""))
    if not case or not run.isdigit():
        return None
    own = identity("question", case, run, decision.contact_id, decision.programme)
    return QuestionDecided(
        question_id=str(survey_id_of(decision.plan_id) if decision.plan_id else own),
        ticket_id=case,
        run=int(run),
        contact_id=str(decision.contact_id),
        programme=decision.programme,
        outcome=decision.outcome,
        reason=decision.reason,
        until=until or decision.until,
        at=now,
    )
