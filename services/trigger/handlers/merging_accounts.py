"""Accounts of one company are merged: by an event, or by an operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.trigger.domain import merging_accounts as merging
from services.trigger.domain.directory import account_changed, contact_changed
from services.trigger.domain.merging import Settled
from services.trigger.domain.model import Account, PlanState
from services.trigger.handlers.ledger import record
from services.trigger.store import directory, plans, programmes
from services.trigger.store import merging_accounts as store
from services.trigger.store.leads import COMPANIES, current_ids
from shared.contracts.reasons import Reason
from shared.db.database import Tx
from shared.values import altered


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge came to: which stays, which are gone, what moved, and how many plans were called off."""

    account_id: UUID
    merged: tuple[UUID, ...]
    people: int
    plans: int
    called_off: int


async def merge(tx: Tx, ids: Sequence[UUID], *, event_id: str = "", by: str = "") -> Merged | None:
    """Merge accounts of one company into the first of them that is known; None when they are one already.

    What was asked at any of them counts for the one that stays, a brake and a hold on any of them are on it,
    and nothing is asked twice. It cannot be undone.
    """
    leads = await current_ids(tx.conn, COMPANIES, ids)
    wanted = list(dict.fromkeys(leads[one] for one in ids))
    locked = await directory.lock_accounts(tx.conn, wanted)
    accounts = [locked[one] for one in wanted if one in locked]
    if len(accounts) < 2:  # noqa: PLR2004 - one is nothing to merge
        return None
    survivor = merging.survivor_of(accounts)
    others = [one for one in accounts if one.id != survivor.id]
    gone = [one.id for one in others]
    moved = await _move_people(tx, gone, survivor.id)
    settled = await _settle(tx, survivor.id, gone)
    await store.repoint(tx.conn, gone, survivor.id, settled.moved)
    await _unite(tx, survivor, others)
    known = any(one.version for one in accounts)
    lines = merging.lines(survivor.id, gone, settled, by, known=known)
    await record(tx, [(event_id, line) for line in lines])
    await plans.wake_plans(tx.conn, tx.now, [Reason.OUTRANKED, Reason.PLACE_KEPT], accounts=[survivor.id])
    pending = sum(plan.state is PlanState.PENDING for plan in settled.moved)
    return Merged(survivor.id, tuple(gone), moved, pending, len(settled.doubled))


async def _unite(tx: Tx, survivor: Account, others: Sequence[Account]) -> None:
    """Bring the accounts' facts together, and tell the other services.

    Of ids of which nothing is known yet only where they lead is kept: no entry comes of them.
    """
    silent = [altered(one, merged_into=survivor.id) for one in others if not one.version]
    if not any(one.version for one in (survivor, *others)):
        await directory.save_accounts(tx.conn, silent)
        return
    after = merging.united(survivor, others)
    after = altered(after, version=after.version + 1)
    rows = [after, *(merging.departed(one, after) for one in others if one.version)]
    await directory.save_accounts(tx.conn, [*rows, *silent])
    for row in rows:
        tx.emit(account_changed(row), identity=f"{row.id}/{row.version}", key=str(row.id))


async def _move_people(tx: Tx, gone: Sequence[UUID], survivor: UUID) -> int:
    """People of the former accounts belong to the one that stays; returns how many."""
    staff = await directory.contacts_of(tx.conn, gone)
    known = await directory.lock_contacts(tx.conn, [one.id for found in staff.values() for one in found])
    after = [altered(one, account_id=survivor, version=one.version + 1) for one in known.values()]
    await directory.save_contacts(tx.conn, after)
    for contact in after:
        tx.emit(contact_changed(contact), identity=f"{contact.id}/{contact.version}", key=str(survivor))
    return len(after)


async def _settle(tx: Tx, survivor: UUID, gone: Sequence[UUID]) -> Settled:
    subjects = [subject for one in (survivor, *gone) for subject in merging.subjects_of(one)]
    found = await store.lock_plans(tx.conn, gone, subjects)
    again = await programmes.again_and_again(tx.conn, [(plan.programme, plan.version) for plan in found])
    return merging.settle(found, survivor, gone, again)
