"""Somebody was invited to take part in a fix (R94): that uses up patience like a question of ours.

What became of each invitation stands in the ledger, so that whoever asks why somebody was not asked finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.trigger.domain.decisions import of_invitation
from services.trigger.domain.model import Decision
from services.trigger.handlers.freeing import wake_waiting
from services.trigger.store import invitations, ledger
from services.trigger.store.invitations import Invited
from services.trigger.store.leads import COMPANIES, PEOPLE, current_ids
from shared.contracts.deliveries import (
    BounceKind,
    Delivery,
    DeliveryBounced,
    DeliveryFailed,
    DeliveryHandedOver,
    DeliverySuppressed,
    DeliveryUncertain,
)
from shared.contracts.envelope import Event
from shared.contracts.messages import MessageKind
from shared.contracts.reasons import Outcome, Reason
from shared.db.database import Tx


async def note_invitations(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Count invitations that went out, or may have; one that came back gives its place back.

    Whoever is told of a dead address has been locked with their company.
    """
    told = [e.data for e in events if isinstance(e.data, Delivery) and _is_invitation(e.data)]
    if not told:
        return
    people = await current_ids(tx.conn, PEOPLE, {UUID(one.snapshot.contact_id) for one in told})
    companies = await current_ids(
        tx.conn, COMPANIES, {UUID(one.snapshot.account_id) for one in told if one.snapshot.account_id}
    )
    known = [
        (
            one,
            Invited(
                UUID(one.message_id),
                people[UUID(one.snapshot.contact_id)],
                companies[UUID(one.snapshot.account_id)] if one.snapshot.account_id else None,
                one.at,
            ),
        )
        for one in told
        if one.message_id
    ]
    sent = {invited.message_id: invited for one, invited in known if _went_out(one)}
    await invitations.save(tx.conn, list(sent.values()))
    back = [invited.message_id for one, invited in known if _came_back(one)]
    await wake_waiting(tx, await invitations.give_back(tx.conn, back, tx.now))
    lines = (_line(one, invited) for one, invited in known)
    # Not counted among decisions: that somebody is invited was decided by a person, not here.
    await ledger.write(tx.conn, tx.now, [("", line) for line in lines if line is not None])


def _line(told: Delivery, invited: Invited) -> Decision | None:
    """What the ledger says of it; None of what changes nothing for surveys."""
    about = (invited.message_id, invited.contact_id, invited.account_id)
    match told:
        case DeliveryHandedOver():
            return of_invitation(*about, Outcome.REQUESTED)
        case DeliveryUncertain():
            return of_invitation(*about, Outcome.REQUESTED, doubtful=True)
        case DeliverySuppressed(reason=reason) | DeliveryFailed(reason=reason):
            return of_invitation(*about, Outcome.SUPPRESSED, reason)
        case DeliveryBounced() if _came_back(told):
            return of_invitation(*about, Outcome.CANCELLED, Reason.BOUNCED)
        case _:
            return None


def _went_out(told: Delivery) -> bool:
    return isinstance(told, DeliveryHandedOver | DeliveryUncertain)


def _came_back(told: Delivery) -> bool:
    return isinstance(told, DeliveryBounced) and told.kind is BounceKind.HARD


def _is_invitation(told: Delivery) -> bool:
    return told.message_kind is MessageKind.INVITATION
