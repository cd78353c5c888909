"""An account is deleted: what is planned for it is called off, its people stay or go with it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.trigger.domain.decisions import of_plan
from services.trigger.domain.directory import account_changed, contact_changed, deleted
from services.trigger.domain.model import PlanState
from services.trigger.handlers.erasure import erase
from services.trigger.handlers.ledger import record
from services.trigger.store import directory, plans
from shared.contracts.reasons import Outcome, Reason
from shared.db.database import Tx
from shared.security.sealing import Sealer
from shared.values import altered


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a deletion came to."""

    people: int = 0
    erased: int = 0
    plans: int = 0


async def delete_account(tx: Tx, sealer: Sealer, account_id: UUID, *, erase_people: bool) -> Deleted:
    """Delete an account; one that is deleted already stays as it is.

    A survey that went out stays open: its answer still counts for the account as it was then.
    """
    account = (await directory.lock_accounts(tx.conn, [account_id])).get(account_id)
    if account is None or account.deleted_at:
        return Deleted()
    staff = (await directory.contacts_of(tx.conn, [account_id])).get(account_id, [])
    folk = await directory.lock_contacts(tx.conn, [contact.id for contact in staff])
    pending = await plans.pending_plans_of_account(tx.conn, account_id)
    called_off = [altered(p, state=PlanState.CANCELLED, reason=Reason.CANCELLED) for p in pending]
    await plans.save_plans(tx.conn, called_off)
    why = {"why": "the account was deleted"}
    lines = [("", of_plan(plan, Outcome.CANCELLED, Reason.CANCELLED, why)) for plan in called_off]
    await record(tx, lines)
    gone = deleted(account, tx.now)
    await directory.save_accounts(tx.conn, [gone])
    tx.emit(account_changed(gone), identity=f"{gone.id}/{gone.version}", key=str(gone.id))
    erased = await erase(tx, sealer, folk) if erase_people else 0
    if not erase_people:
        await _leave(tx, [*folk])
    return Deleted(len(folk), erased, len(called_off))


async def _leave(tx: Tx, contact_ids: list[UUID]) -> None:
    """People without their company; the news goes the way of the company's, so that it comes after it."""
    known = await directory.lock_contacts(tx.conn, contact_ids)
    after = [altered(c, account_id=None, version=c.version + 1) for c in known.values()]
    await directory.save_contacts(tx.conn, after)
    for contact in after:
        key = str(known[contact.id].account_id or contact.id)
        tx.emit(contact_changed(contact), identity=f"{contact.id}/{contact.version}", key=key)
