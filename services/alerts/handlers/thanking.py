"""Messages to customers: first replies and thanks are asked for in the transaction of the answer.

What becomes of each is heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from services.alerts.domain.model import Answer, Ticket
from services.alerts.domain.routing import Staff
from services.alerts.domain.thanking import Fate, Reply, Thanks, help_for, reply_to
from services.alerts.handlers import opening
from services.alerts.handlers.applying import Desk
from services.alerts.store import messages, views
from services.alerts.store.messages import Told
from shared.contracts.deliveries import (
    DeliveryBounced,
    DeliveryComplained,
    DeliveryFailed,
    DeliveryHandedOver,
    DeliverySuppressed,
    DeliveryUncertain,
)
from shared.contracts.envelope import Event
from shared.contracts.messages import MessageRequested
from shared.contracts.model import Person
from shared.db.database import Tx
from shared.runtime.consumer import Route
from shared.runtime.ids import derive

FATES = {
    DeliveryHandedOver.TYPE: Fate.HANDED_OVER,
    DeliveryUncertain.TYPE: Fate.UNCERTAIN,
    DeliverySuppressed.TYPE: Fate.SUPPRESSED,
    DeliveryFailed.TYPE: Fate.FAILED,
    DeliveryBounced.TYPE: Fate.BOUNCED,
    DeliveryComplained.TYPE: Fate.COMPLAINED,
}


async def answer_all(
    desk: Desk, tx: Tx, heard: Sequence[Answer], tickets: Iterable[Ticket], staff: Staff
) -> None:
    """Ask for what each of those who have just answered hears by itself."""
    if not heard:
        return
    holders = {voice.response_id: ticket for ticket in tickets for voice in ticket.voices}
    wordy = await _wordy(desk, tx, heard)
    found = (
        reply_to(one, holders.get(one.response_id), tx.now, desk.replies, words=one.response_id in wordy)
        for one in heard
    )
    helped = (help_for(one, desk.roster.help_texts, tx.now) for one in heard)
    await request(desk, tx, [reply for reply in (*found, *helped) if reply is not None], staff)


async def request(desk: Desk, tx: Tx, replies: Sequence[Reply], staff: Staff) -> int:
    """Ask dispatch for messages, each once; returns how many are new."""
    wanted = {derive(*reply.key): reply for reply in replies}
    if not wanted:
        return 0
    fresh = await messages.add(tx.conn, wanted, tx.now)
    asked = {key: one for key, one in wanted.items() if key in fresh and not one.reason}
    await _ask(desk, tx, asked, staff)
    return len(asked)


async def _wordy(desk: Desk, tx: Tx, heard: Sequence[Answer]) -> set[UUID]:
    """Those who wrote something; opened only where it makes a difference."""
    happier = [one for one in heard if one.words and not one.unhappy]
    if desk.replies.thanks is not Thanks.WORDS or not happier:
        return set()
    texts = await opening.words(desk.sealer, tx.conn, happier)
    return {one.response_id for one, text in zip(happier, texts, strict=True) if text}


async def _ask(desk: Desk, tx: Tx, asked: Mapping[UUID, Reply], staff: Staff) -> None:
    replies = asked.values()
    copies = await views.contacts(tx.conn, {one.answer.contact_id for one in replies})
    reps = {member.user_id: Person(name=member.name, email=member.email) for member in staff.members}
    people = [opening.sealed_of(one.answer, copies.get(one.answer.contact_id)) for one in replies]
    owned = [
        (place, reps[reply.owner])
        for place, reply in enumerate(replies)
        if reply.owner is not None and reply.owner in reps
    ]
    sealed = await desk.sealer.seal(tx.conn, [(people[place][0], rep) for place, rep in owned])
    back = {place: text for (place, _), text in zip(owned, sealed, strict=True)}
    for place, ((message_id, reply), (contact_id, person)) in enumerate(
        zip(asked.items(), people, strict=True)
    ):
        snapshot = reply.answer.snapshot.model_copy(update={"contact_id": str(contact_id)})
        event = MessageRequested(
            message_id=str(message_id),
            kind=reply.kind,
            snapshot=snapshot,
            person=person,
            reply_to=back.get(place, ""),
            requested_at=tx.now,
            slots=_slots(reply),
        )
        tx.emit(event, identity=str(message_id), key=snapshot.key)


def _slots(reply: Reply) -> dict[str, str]:
    hours = {"hours": str(reply.hours)} if reply.hours else {}
    return hours | ({"text": reply.text} if reply.text else {})


async def on_deliveries(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Keep what became of messages; deliveries of surveys are for others."""
    told = [
        Told(UUID(e.data.message_id), FATES[e.type], str(getattr(e.data, "reason", "")), e.data.at)
        for e in events
        if e.data.message_id
    ]
    if told:
        await messages.move(tx.conn, told)


ROUTE = Route(tuple(FATES), on_deliveries)
