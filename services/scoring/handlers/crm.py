"""Notes of whom something came in, so that what stands of them in CRMs is looked at again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from services.scoring.domain import reading
from services.scoring.domain.crm import Kind
from services.scoring.domain.facts import STATES
from services.scoring.store import crm
from shared.contracts.directory import AccountChanged, ContactChanged, ContextRecorded
from shared.contracts.envelope import Event
from shared.contracts.tickets import TICKET_TYPES, Ticket
from shared.db.database import Tx
from shared.runtime.consumer import Route


async def on_anything(events: Sequence[Event[Any]], tx: Tx) -> None:
    """Note contacts and accounts; what is written of them is decided later, by somebody else."""
    await crm.touch(tx.conn, {one for event in events for one in _touched(event)})


def _touched(event: Event[Any]) -> Iterator[tuple[Kind, UUID]]:
    contact, account = _about(event)
    if contact:
        yield Kind.CONTACT, UUID(contact)
    if account:
        yield Kind.ACCOUNT, UUID(account)


def _about(event: Event[Any]) -> tuple[str | None, str | None]:
    told = event.data
    if event.type in STATES:
        return reading.about(reading.response_of(told))
    if isinstance(told, ContactChanged):
        return told.contact_id, None
    if isinstance(told, Ticket):
        return None, told.snapshot.account_id
    return None, told.account_id if isinstance(told, AccountChanged | ContextRecorded) else None


ROUTES: tuple[Route, ...] = (
    Route(
        (*STATES, ContactChanged.TYPE, AccountChanged.TYPE, ContextRecorded.TYPE, *TICKET_TYPES), on_anything
    ),
)
"""Added to those that write facts, and after them, where there is a CRM to write to."""
