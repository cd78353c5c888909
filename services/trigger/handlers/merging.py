"""Entries of one person are merged: by an event, by an operator, or because one of them is nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.trigger.domain import merging
from services.trigger.domain.consent import standing
from services.trigger.domain.directory import contact_changed, with_known
from services.trigger.domain.model import Contact, PlanState
from services.trigger.handlers import people
from services.trigger.handlers.freeing import give_places_back
from services.trigger.handlers.ledger import record
from services.trigger.store import consents, directory, plans, programmes
from services.trigger.store import merging as store
from services.trigger.store.leads import PEOPLE, current_ids
from shared.contracts.model import Person
from shared.contracts.reasons import Reason
from shared.db.database import Tx
from shared.security.sealing import Sealer
from shared.values import altered


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge came to: who stays, who is gone, and how many plans were moved and called off."""

    contact_id: UUID
    merged: tuple[UUID, ...]
    plans: int
    called_off: int


async def merge(
    tx: Tx, sealer: Sealer, ids: Sequence[UUID], *, event_id: str = "", by: str = ""
) -> Merged | None:
    """Merge entries of one person into the first of them that is known; None when they are one already.

    What was asked of any of them counts for the one who stays, an opt-out of any of them holds, and nothing
    is asked twice. It cannot be undone.
    """
    leads = await current_ids(tx.conn, PEOPLE, ids)
    wanted = list(dict.fromkeys(leads[one] for one in ids))
    locked = await directory.lock_people(tx.conn, wanted)
    contacts = [locked[one] for one in wanted if one in locked]
    if len(contacts) < 2:  # noqa: PLR2004 - one is nothing to merge
        return None
    survivor = merging.survivor_of(contacts)
    others = [one for one in contacts if one.id != survivor.id]
    gone = [one.id for one in others]
    await _unite(tx, sealer, survivor, others)
    settled = await _settle(tx, survivor.id, gone)
    await store.repoint(tx.conn, gone, survivor.id, settled.moved)
    known = any(one.version or one.erased_at for one in contacts)
    lines = merging.lines(survivor.id, gone, settled, by, known=known)
    await record(tx, [(event_id, line) for line in lines])
    await plans.wake_plans(tx.conn, tx.now, [Reason.OUTRANKED], contacts=[survivor.id])
    await give_places_back(
        tx, {*(one.account_id for one in contacts), *(plan.account_id for plan in settled.moved)}
    )
    pending = sum(plan.state is PlanState.PENDING for plan in settled.moved)
    return Merged(survivor.id, tuple(gone), pending, len(settled.doubled))


async def _unite(tx: Tx, sealer: Sealer, survivor: Contact, others: Sequence[Contact]) -> None:
    """Bring the entries' facts together, and tell the other services.

    Of ids by which nobody is known yet only where they lead is kept: no entry comes of them.
    """
    everybody = [survivor, *others]
    said = await consents.histories(tx.conn, [one.id for one in everybody])
    refusals = [merging.refusal_of(one) for one in others if one.erased_at and not survivor.erased_at]
    await consents.add(tx.conn, [(survivor.id, word) for word in refusals], tx.now)
    stands = standing([*refusals, *(word for words in said.values() for word in words)])
    after = merging.united(survivor, others, stands)
    if not survivor.erased_at:
        opened = await sealer.open(tx.conn, [(one.id, one.person) for one in everybody], Person)
        own, *rest = (person or Person() for person in opened)
        person = merging.united_person(own, rest)
        if person != own:
            sealed = await people.seal(tx.conn, sealer, {survivor.id: person})
            after = with_known(after, sealed[survivor.id])
    silent = [altered(one, merged_into=after.id) for one in others if one.erased_at or not one.version]
    if not any(one.version for one in everybody):
        await directory.save_contacts(tx.conn, silent)
        return
    after = altered(after, version=after.version + 1)
    known = [one for one in others if one.version and not one.erased_at]
    rows = [after, *(merging.departed(one, after) for one in known)]
    await directory.save_contacts(tx.conn, [*rows, *silent])
    for row in rows:
        if not row.erased_at:
            key = str(row.account_id or row.id)
            tx.emit(contact_changed(row), identity=f"{row.id}/{row.version}", key=key)


async def _settle(tx: Tx, survivor: UUID, gone: Sequence[UUID]) -> merging.Settled:
    found = await store.lock_all_plans(tx.conn, [survivor, *gone])
    again = await programmes.again_and_again(tx.conn, [(plan.programme, plan.version) for plan in found])
    return merging.settle(found, survivor, gone, again)
