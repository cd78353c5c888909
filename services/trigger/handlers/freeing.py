"""A place in quarantines and budgets that somebody gave back: whoever waited for it is looked at again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from services.trigger.domain.model import Ask
from services.trigger.store import plans
from shared.contracts.reasons import Reason
from shared.db.database import Tx

FREED_BY_RELEASE = (Reason.QUARANTINED, Reason.ACCOUNT_BUDGET, Reason.OUTRANKED)
"""What plans waited for that a released reservation may end."""


async def wake_waiting(tx: Tx, freed: Sequence[Ask]) -> None:
    """Let plans that waited for the places of these surveys pass the gate again now, in two statements."""
    if not freed:
        return
    people = sorted({ask.contact_id for ask in freed})
    companies = sorted({ask.account_id for ask in freed if ask.account_id})
    await plans.wake_plans(tx.conn, tx.now, FREED_BY_RELEASE, contacts=people)
    if companies:
        waits = [Reason.ACCOUNT_BUDGET, Reason.PLACE_KEPT]
        await plans.wake_plans(tx.conn, tx.now, waits, accounts=companies)


async def give_places_back(tx: Tx, accounts: Iterable[UUID | None]) -> None:
    """Somebody of these accounts for whom a place may be kept was asked, or may never be: look again now."""
    companies = sorted({account_id for account_id in accounts if account_id})
    if companies:
        await plans.wake_plans(tx.conn, tx.now, [Reason.PLACE_KEPT], accounts=companies)
