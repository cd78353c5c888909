"""What comes back: deliveries, answers and tickets release, stop and hold what trigger plans.

One handler for each topic. All fold a whole batch and write set-based; asks are locked in id order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.trigger.domain.consent import ALL, Said
from services.trigger.domain.directory import contact_changed
from services.trigger.domain.hearing import news_of
from services.trigger.domain.model import Ask, AskState
from services.trigger.domain.when import HoldKind
from services.trigger.handlers.consent import note
from services.trigger.handlers.freeing import give_places_back, wake_waiting
from services.trigger.handlers.inviting import note_invitations
from services.trigger.handlers.recovery import tell_of_cases
from services.trigger.store import asks, brakes, directory, plans, slots
from services.trigger.store.leads import PEOPLE, current_ids
from shared.contracts.deliveries import (
    BounceKind,
    ContactResubscribed,
    ContactUnsubscribed,
    Delivery,
    DeliveryBounced,
    DeliveryComplained,
    DeliveryFailed,
    DeliveryHandedOver,
    DeliverySuppressed,
    DeliveryUncertain,
    UnsubscribeScope,
)
from shared.contracts.envelope import Event
from shared.contracts.model import Channel
from shared.contracts.reasons import Reason
from shared.contracts.responses import ResponseHeld, ResponseReleased, ResponseSubmitted
from shared.contracts.tickets import Ticket, TicketState
from shared.db.database import Tx
from shared.values import altered

DELIVERY_TYPES = (
    DeliveryHandedOver.TYPE,
    DeliveryFailed.TYPE,
    DeliverySuppressed.TYPE,
    DeliveryUncertain.TYPE,
    DeliveryBounced.TYPE,
    DeliveryComplained.TYPE,
    ContactUnsubscribed.TYPE,
    ContactResubscribed.TYPE,
)
RESPONSE_TYPES = (ResponseSubmitted.TYPE, ResponseHeld.TYPE, ResponseReleased.TYPE)
OVER = frozenset({TicketState.RESOLVED, TicketState.CLOSED})


async def on_deliveries(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Reservations of what never reached its person are released; dead addresses, yes and no are kept."""
    await _fold_contacts(events, tx)
    await note_invitations(events, tx)
    deliveries = [event for event in events if isinstance(event.data, Delivery) and event.data.survey_id]
    known = await asks.lock_asks(tx.conn, [UUID(event.data.survey_id) for event in deliveries])
    before = dict(known)
    for event in deliveries:
        ask = known.get(UUID(event.data.survey_id))
        if ask:
            known[ask.survey_id] = _after_delivery(ask, event.data)
    changed = [ask for key, ask in known.items() if ask != before[key]]
    await asks.save_asks(tx.conn, changed)
    await slots.add_news(tx.conn, news_of((before[ask.survey_id], ask) for ask in changed))
    freed = [a for a in changed if a.released_at and not before[a.survey_id].released_at]
    await wake_waiting(tx, freed)


async def on_responses(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Whoever answered, or seems to have, is not reminded any more; when people answer is learned."""
    told = {UUID(event.data.survey_id): event.data.at for event in events}
    by_people = {UUID(event.data.survey_id) for event in events if event.type != ResponseHeld.TYPE}
    known = await asks.lock_asks(tx.conn, told)
    answered = [
        altered(
            ask,
            state=AskState.ANSWERED if ask.state is AskState.OPEN else ask.state,
            answered_at=ask.answered_at or told[key],
            heard_at=ask.heard_at or (told[key] if key in by_people else None),
            next_step_at=None,
            waits_for=None,
        )
        for key, ask in known.items()
    ]
    await asks.save_asks(tx.conn, answered)
    await slots.add_news(tx.conn, news_of((known[ask.survey_id], ask) for ask in answered))


async def on_tickets(events: Sequence[Event[Any]], tx: Tx) -> None:
    """A person with an open ticket is not asked further questions; when it is closed they may be again.

    Cases that people resolved are told as touchpoints, so that the customer can be asked whether it is true.
    """
    newest = _newest(events)
    named = {UUID(contact_id) for ticket in newest.values() for contact_id in ticket.contact_ids}
    leads = await current_ids(tx.conn, PEOPLE, named)
    changes = [
        brakes.HoldChange(
            kind=HoldKind.DETRACTOR_TICKET,
            ref=ticket.ticket_id,
            holder=contact_id,
            contact_id=leads[UUID(contact_id)],
            account_id=None,
            version=ticket.version,
            active=ticket.state not in OVER,
        )
        for ticket in newest.values()
        for contact_id in ticket.contact_ids
    ]
    freed = sorted({c.contact_id for c in changes if not c.active and c.contact_id})
    if freed:
        # After a round that may let them wait for this very case.
        await directory.lock_contacts(tx.conn, freed)
    await brakes.save_holds(tx.conn, sorted(changes, key=lambda change: (change.ref, change.holder)))
    if freed:
        await plans.wake_plans(tx.conn, tx.now, [Reason.HELD], contacts=freed)
        await asks.wake_reminders(tx.conn, tx.now, Reason.HELD, contacts=freed)
    await tell_of_cases(events, tx)


def _newest(events: Sequence[Event[Any]]) -> dict[str, Ticket]:
    found: dict[str, Ticket] = {}
    for event in events:
        known = found.get(event.data.ticket_id)
        if known is None or event.data.version > known.version:
            found[event.data.ticket_id] = event.data
    return found


def _after_delivery(ask: Ask, told: Delivery) -> Ask:
    """The reservation after news of its delivery; only the first step releases it."""
    if isinstance(told, DeliveryHandedOver) and told.step == 0:
        # A recall that came too late gave a place back which is used all the same.
        released = None if ask.state is AskState.CANCELLED else ask.released_at
        return altered(ask, handed_over_at=ask.handed_over_at or told.at, released_at=released)
    if _gives_back(told):
        return _released(ask, told.at) if ask.state is AskState.OPEN else ask
    if isinstance(told, DeliveryComplained):
        return altered(ask, next_step_at=None, waits_for=None)
    return ask


def _gives_back(told: object) -> bool:
    """Whether news of a delivery ends a reservation that is still open: nothing reached its person."""
    if isinstance(told, DeliveryBounced):
        return told.kind is BounceKind.HARD
    return isinstance(told, DeliveryFailed | DeliverySuppressed) and told.step == 0


def _released(ask: Ask, at: datetime) -> Ask:
    return altered(ask, state=AskState.RELEASED, released_at=at, next_step_at=None, waits_for=None)


async def _fold_contacts(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Bounces, complaints, opt-outs and their ends, folded into contacts, which the others are told about.

    Whoever gives a place back is locked too, with the company: before the surveys, as a round does.
    What is told of somebody under a former id is about the one who stayed; an address that came back is
    theirs only when they are written to at the same.
    """
    bounces = [e.data for e in events if isinstance(e.data, DeliveryBounced)]
    # Of a telephone or a backend it says nothing about the mailbox.
    bounces = [b for b in bounces if b.kind is BounceKind.HARD and b.channel is Channel.EMAIL]
    words = [(who, said) for event in events for who, said in _words(event)]
    named = {who for who, _ in words} | {UUID(told.snapshot.contact_id) for told in bounces}
    given_back = [UUID(e.data.survey_id) for e in events if _gives_back(e.data) and e.data.survey_id]
    if not named and not given_back:
        return
    leads = await current_ids(tx.conn, PEOPLE, named)
    people, companies = await asks.parties_of(tx.conn, given_back)
    known = await directory.lock_people(tx.conn, {*named, *leads.values(), *people}, companies)
    before = dict(known)
    known |= await note(tx, [(leads[who], said) for who, said in words], known)
    for told in bounces:
        who = UUID(told.snapshot.contact_id)
        contact = known.get(leads[who])
        if contact and not contact.erased_at and contact.email_hash == known[who].email_hash:
            known[contact.id] = altered(contact, bounced_at=contact.bounced_at or told.at)
    changed = [altered(c, version=c.version + 1) for key, c in known.items() if c != before[key]]
    await directory.save_contacts(tx.conn, changed)
    for contact in changed:
        key = str(contact.account_id or contact.id)
        tx.emit(contact_changed(contact), identity=f"{contact.id}/{contact.version}", key=key)
    await give_places_back(tx, [contact.account_id for contact in changed])


def _words(event: Event[Any]) -> list[tuple[UUID, Said]]:
    """What people said about being asked."""
    match event.data:
        case DeliveryComplained(at=at, snapshot=snapshot):
            who, scope, via = snapshot.contact_id, ALL, "complaint"
        case ContactUnsubscribed(scope=UnsubscribeScope.ALL, at=at, contact_id=who, via=via):
            scope = ALL
        case ContactUnsubscribed(programme=scope, at=at, contact_id=who, via=via):
            pass
        case ContactResubscribed(at=at, contact_id=who, via=via):
            scope = ALL
        case _:
            return []
    source = f"{event.source} {via}".strip()
    back = isinstance(event.data, ContactResubscribed)
    said = Said(scope, given=back, at=at, source=source, takes_back=back, event_id=event.id)
    return [(UUID(who), said)]
