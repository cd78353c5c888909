"""Touchpoints that come in by HTTP.

Noted once, their people sealed, then into the outbox, all in one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.trigger.domain.model import identity
from services.trigger.handlers import people
from services.trigger.store import ledger
from shared.contracts.touchpoints import Touchpoint, TouchpointContact
from shared.db.database import Tx
from shared.security.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Received:
    """A touchpoint from outside; `route` and `message_id` tell repeats apart, `digest` a changed body."""

    route: str
    message_id: str
    digest: str
    source: str
    event_id: str
    type: str
    touchpoint: Touchpoint


async def take(tx: Tx, sealer: Sealer, received: Received) -> str:
    """Take a touchpoint in.

    Returns:
        "accepted"; or, when nothing was done, "duplicate" or "conflict": the same id with another body, of
        which the first one stands.
    """
    seen = await ledger.record_webhook(tx.conn, received.route, received.message_id, received.digest, tx.now)
    if seen != "new":
        return seen
    told = await _sealed(tx, sealer, received.touchpoint)
    account = told.account.id.strip() if told.account else ""
    key = (
        str(identity("account", account))
        if account
        else next((p.ref for p in told.people if p.ref), received.event_id)
    )
    tx.emit(told, identity=f"{received.source}/{received.event_id}", key=key, event_type=received.type)
    return "accepted"


async def _sealed(tx: Tx, sealer: Sealer, touchpoint: Touchpoint) -> Touchpoint:
    """The touchpoint with names and addresses sealed; people without any mark lose what they have."""
    named = [people.Named(told, people.in_clear(told)) for told in touchpoint.people]
    ids = await people.resolve(tx.conn, sealer, named)
    known = [(contact_id, one) for contact_id, one in zip(ids, named, strict=True) if contact_id]
    sealed = await sealer.seal(tx.conn, [(contact_id, one.person) for contact_id, one in known])
    covered = [
        _cover(one.told, contact_id, text) for (contact_id, one), text in zip(known, sealed, strict=True)
    ]
    return touchpoint.model_copy(update={"contact": None, "contacts": tuple(covered)})


def _cover(told: TouchpointContact, contact_id: UUID, sealed: str) -> TouchpointContact:
    return told.model_copy(
        update={"email": "", "phone": "", "name": "", "ref": str(contact_id), "sealed": sealed}
    )
