"""What came of messages, told to the others: one delivery event for each ending."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from services.dispatch import metrics
from services.dispatch.domain.model import Announced
from services.dispatch.domain.states import Happening, target
from services.dispatch.store import queue
from shared.contracts.deliveries import (
    Delivery,
    DeliveryFailed,
    DeliveryHandedOver,
    DeliverySuppressed,
    DeliveryUncertain,
)
from shared.contracts.messages import MessageKind
from shared.contracts.model import Snapshot
from shared.contracts.reasons import Reason
from shared.db.database import Tx

Ended = Happening
"""The happenings that end a message: accept, refuse, reject, suppress, lose."""


async def tell(tx: Tx, happening: Happening, delivery_ids: Sequence[UUID]) -> list[Announced]:
    """Emit the delivery event of each message that just ended in this transaction.

    One that was sent again and is uncertain as before is no news.
    """
    told = await queue.announcements(tx.conn, delivery_ids)
    for one in told:
        if not (one.again and happening is Happening.LOSE):
            tx.emit(payload_of(happening, one, tx.now), identity=str(one.delivery_id), key=one.key)
    return told


def count(happening: Happening, told: Sequence[Announced]) -> None:
    """Count endings, once they are committed."""
    for one in told:
        state = target(happening).value
        metrics.MESSAGES.labels(one.channel.value, one.kind, state).inc()
        if happening is Happening.SUPPRESS:
            metrics.SUPPRESSED.labels(one.reason).inc()


def payload_of(happening: Happening, one: Announced, now: datetime) -> Delivery:
    """The event that tells how a message ended."""
    fields = fields_of(one, now)
    match happening:
        case Happening.ACCEPT:
            return DeliveryHandedOver(**fields)
        case Happening.SUPPRESS:
            return DeliverySuppressed(**fields, reason=Reason(one.reason))
        case Happening.REFUSE | Happening.REJECT:
            return DeliveryFailed(**fields, reason=Reason(one.reason), detail=one.detail)
        case Happening.LOSE:
            return DeliveryUncertain(**fields)
        case (
            Happening.CLAIM
            | Happening.RELEASE
            | Happening.CALL
            | Happening.DEFER
            | Happening.PASS_ON
            | Happening.SEND_AGAIN
            | Happening.CALL_OFF
        ):
            raise AssertionError(f"{happening} is no ending that others hear of")
        case _:
            assert_never(happening)


def fields_of(one: Announced, now: datetime) -> dict[str, Any]:
    """The fields that every delivery event of a message has."""
    return {
        "delivery_id": str(one.delivery_id),
        "version": one.version,
        "survey_id": str(one.survey_id) if one.survey_id else None,
        "message_id": str(one.message_id) if one.message_id else None,
        "message_kind": MessageKind(one.kind) if one.message_id else None,
        "step": one.step,
        "channel": one.channel,
        "snapshot": Snapshot.model_validate_json(one.snapshot),
        "at": now,
    }
