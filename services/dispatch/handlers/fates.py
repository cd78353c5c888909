"""What is learned of a message after it left: it arrived, it came back, or it was not welcome.

Providers, mail servers and people tell it in their own ways; what follows is the same for all of them, and
hearing it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.dispatch import metrics
from services.dispatch.domain.model import Ending
from services.dispatch.domain.states import Happening
from services.dispatch.domain.stop_list import BY_TEXT
from services.dispatch.handlers.passing import pass_on
from services.dispatch.handlers.reporting import fields_of, tell
from services.dispatch.store import queue, replies, suppressions, uncertain
from shared.contracts.deliveries import (
    BounceKind,
    ContactResubscribed,
    ContactUnsubscribed,
    DeliveryBounced,
    DeliveryComplained,
    DeliveryDelivered,
)
from shared.contracts.reasons import Reason
from shared.db.database import Tx

ABOUT_THE_ADDRESS = frozenset({Reason.INVALID_ADDRESS, Reason.OPTED_OUT})
"""What buries an address: nobody is there, or who is there said stop."""

MAX_SOFT = 3
"""After so many messages in a row that came back for the time being, an address is not written to again."""


@dataclass(frozen=True, slots=True)
class Return:
    """A message that came back: how hard, what for, the provider's code, and who told."""

    kind: BounceKind
    reason: Reason
    detail: str
    via: str


async def arrived(tx: Tx, delivery_id: UUID, *, delivered: bool, detail: str = "") -> None:
    """A provider has taken a message after all, or brought it to its mailbox; `detail`: how that is known."""
    await uncertain.call_off(tx.conn, delivery_id, tx.now)
    await _was_taken(tx, Ending(delivery_id, detail=detail))
    accepted = await queue.end_late(tx.conn, Happening.ACCEPT, [Ending(delivery_id)], tx.now)
    await tell(tx, Happening.ACCEPT, accepted)
    if delivered:
        fresh = await replies.mark_delivered(tx.conn, [delivery_id], tx.now)
        for one in await queue.announcements(tx.conn, fresh):
            tx.emit(DeliveryDelivered(**fields_of(one, tx.now)), identity=str(one.delivery_id), key=one.key)


async def came_back(tx: Tx, delivery_id: UUID, back: Return) -> None:
    """A message surely did not arrive: bury a dead address, try the next channel, else tell."""

    async def late(happening: Happening, endings: Sequence[Ending]) -> list[UUID]:
        return await queue.end_late(tx.conn, happening, endings, tx.now)

    if back.reason in ABOUT_THE_ADDRESS:
        await suppressions.note_dead(tx.conn, [(delivery_id, back.reason)], tx.now, back.via)
    ending = Ending(delivery_id, back.reason.value, back.detail)
    await uncertain.call_off(tx.conn, delivery_id, tx.now)
    await _was_taken(tx, ending)
    passed, rest = await pass_on(tx, [ending], late)
    if not passed and rest:
        if failed := await late(Happening.REFUSE, rest):
            await tell(tx, Happening.REFUSE, failed)
        else:
            await _bounced(tx, delivery_id, back)
    metrics.BOUNCES.labels(back.kind.value, back.via).inc()


async def _was_taken(tx: Tx, ending: Ending) -> None:
    """Whoever tells of a message had taken it, though the call that brought it was never heard to end."""
    await queue.end_attempts(tx.conn, "accepted", [ending])


async def _bounced(tx: Tx, delivery_id: UUID, back: Return) -> None:
    fresh = await replies.mark_bounced(tx.conn, delivery_id, back.kind, tx.now)
    if back.kind is BounceKind.SOFT and fresh:
        await suppressions.note_worn_out(tx.conn, delivery_id, MAX_SOFT, tx.now)
    for one in await queue.announcements(tx.conn, fresh):
        event = DeliveryBounced(**fields_of(one, tx.now), kind=back.kind, detail=back.detail)
        tx.emit(event, identity=f"{one.delivery_id}/{back.kind.value}", key=one.key)


async def complained(tx: Tx, delivery_id: UUID, via: str) -> None:
    """A person reported a message as unwanted: nobody writes to them again."""
    for one in await queue.announcements(
        tx.conn, await replies.mark_complained(tx.conn, delivery_id, tx.now)
    ):
        recipient = await suppressions.recipient_of(tx.conn, one.delivery_id)
        await suppressions.stop(tx.conn, recipient.contact_id, "", via, tx.now)
        tx.emit(DeliveryComplained(**fields_of(one, tx.now)), identity=str(one.delivery_id), key=one.key)
        metrics.UNSUBSCRIBED.labels("all", via).inc()


async def stopped(tx: Tx, contact_id: UUID, account_id: UUID | None, via: str) -> None:
    """Somebody said stop in their own words: nobody asks them again, by any channel."""
    earlier = await suppressions.stop(tx.conn, contact_id, "", via, tx.now)
    if earlier is not None:
        account = str(account_id) if account_id else None
        event = ContactUnsubscribed(contact_id=str(contact_id), account_id=account, at=tx.now, via=via)
        # A stop that can be taken back may be followed by another one that cannot, and both are told.
        way = f"/{BY_TEXT}" if via == BY_TEXT else ""
        identity = f"{contact_id}/*{way}" + (f"/{earlier}" if earlier else "")
        tx.emit(event, identity=identity, key=account or event.contact_id)
        metrics.UNSUBSCRIBED.labels("all", via).inc()


async def started_again(tx: Tx, number_hash: str, contact_id: UUID | None, told_by: str) -> bool:
    """Somebody took back by text message what they had said by one; whether there was anything to take back.

    Args:
        tx: the transaction.
        number_hash: of the number that it came from.
        contact_id: who was last written to there, when anybody was.
        told_by: the reply's id: each is heard once.
    """
    back = await suppressions.take_back(tx.conn, number_hash, contact_id, tx.now)
    for who, account_id in back.people:
        account = str(account_id) if account_id else None
        event = ContactResubscribed(contact_id=str(who), account_id=account, at=tx.now, via=BY_TEXT)
        tx.emit(event, identity=f"{who}/{told_by}", key=account or event.contact_id)
        metrics.RESUBSCRIBED.labels(BY_TEXT).inc()
    return back.any
