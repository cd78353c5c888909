"""Somebody was invited to take part in a fix (R94): that uses up patience like a question of ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.trigger.handlers.freeing import wake_waiting
from services.trigger.store import invitations
from services.trigger.store.invitations import Invited
from services.trigger.store.leads import COMPANIES, PEOPLE, current_ids
from shared.contracts.deliveries import (
    BounceKind,
    Delivery,
    DeliveryBounced,
    DeliveryHandedOver,
    DeliveryUncertain,
)
from shared.contracts.envelope import Event
from shared.contracts.messages import MessageKind
from shared.db.database import Tx


async def note_invitations(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Count invitations that went out, or may have; one that came back gives its place back.

    Whoever is told of a dead address has been locked with their company.
    """
    told = [e.data for e in events if isinstance(e.data, Delivery) and _is_invitation(e.data)]
    if not told:
        return
    sent = [one for one in told if isinstance(one, DeliveryHandedOver | DeliveryUncertain)]
    people = await current_ids(tx.conn, PEOPLE, {UUID(one.snapshot.contact_id) for one in sent})
    companies = await current_ids(
        tx.conn, COMPANIES, {UUID(one.snapshot.account_id) for one in sent if one.snapshot.account_id}
    )
    found = {
        one.message_id: Invited(
            UUID(one.message_id),
            people[UUID(one.snapshot.contact_id)],
            companies[UUID(one.snapshot.account_id)] if one.snapshot.account_id else None,
            one.at,
        )
        for one in sent
        if one.message_id
    }
    await invitations.save(tx.conn, list(found.values()))
    back = [
        UUID(one.message_id)
        for one in told
        if isinstance(one, DeliveryBounced) and one.kind is BounceKind.HARD and one.message_id
    ]
    await wake_waiting(tx, await invitations.give_back(tx.conn, back, tx.now))


def _is_invitation(told: Delivery) -> bool:
    return told.message_kind is MessageKind.INVITATION
