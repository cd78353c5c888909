"""A person is erased: the key is destroyed, what was planned is called off, nobody asks again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from services.trigger.domain.decisions import of_plan, of_recall
from services.trigger.domain.directory import contact_erased, erased
from services.trigger.domain.model import Ask, AskState, Contact, Decision, PlanState
from services.trigger.handlers.freeing import give_places_back, wake_waiting
from services.trigger.handlers.ledger import record
from services.trigger.store import asks, audiences, consents, directory, habits, leads, plans
from shared.contracts.model import Snapshot
from shared.contracts.reasons import Outcome, Reason
from shared.contracts.surveys import SurveyCancelled
from shared.db.database import Connection, Tx
from shared.runtime.ids import derive
from shared.security.sealing import Sealer
from shared.values import altered


async def erase(tx: Tx, sealer: Sealer, contact_ids: Iterable[UUID], event_id: str = "") -> int:
    """Erase contacts that are known and not yet erased; returns how many. Repeating changes nothing.

    Whoever was merged goes under all of their ids.
    """
    named = set(contact_ids)
    named |= set((await leads.survivors(tx.conn, leads.PEOPLE, named)).values())
    named |= set(await leads.former_ids(tx.conn, leads.PEOPLE, named))
    known = await directory.lock_people(tx.conn, named)
    going = [contact for contact in known.values() if not contact.erased_at]
    if not going:
        return 0
    gone = [altered(erased(contact, tx.now), merged_into=contact.merged_into) for contact in going]
    await sealer.destroy(tx.conn, [contact.id for contact in gone])
    await directory.save_contacts(tx.conn, gone)
    await audiences.forget_participants(tx.conn, [contact.id for contact in gone])
    await habits.forget(tx.conn, [contact.id for contact in gone])
    await consents.forget(tx.conn, [contact.id for contact in gone])
    for contact in gone:
        key = str(contact.account_id or contact.id)
        tx.emit(contact_erased(contact), identity=_identity(contact), key=key)
    await _call_off(tx, [contact.id for contact in gone], event_id)
    await give_places_back(tx, [contact.account_id for contact in going])
    return len(gone)


async def announced(conn: Connection, contact: Contact) -> bool:
    """Whether the news of an erasure is on its topic, where every service finds it."""
    told = derive(contact_erased(contact).TYPE, _identity(contact))
    return not await directory.is_unpublished(conn, told)


def _identity(contact: Contact) -> str:
    return f"{contact.id}/{contact.version}"


async def _call_off(tx: Tx, contact_ids: list[UUID], event_id: str) -> None:
    pending = await plans.pending_plans_of(tx.conn, contact_ids)
    await plans.save_plans(
        tx.conn, [altered(p, state=PlanState.CANCELLED, reason=Reason.ERASED) for p in pending]
    )
    decisions: list[tuple[str, Decision]] = [
        (event_id, of_plan(plan, Outcome.CANCELLED, Reason.ERASED, {})) for plan in pending
    ]
    await record(tx, decisions)
    await give_places_back(tx, [plan.account_id for plan in pending])
    running = [a for a in await asks.open_asks_of(tx.conn, contact_ids) if a.state is AskState.OPEN]
    await cancel_asks(tx, running, Reason.ERASED, dict.fromkeys((ask.plan_id for ask in running), event_id))


async def cancel_asks(tx: Tx, running: list[Ask], reason: Reason, causes: Mapping[UUID, str]) -> None:
    """Take back surveys: no more reminders, and what is not yet handed over stays unsent.

    The place of what stays unsent is free: plans that wait for it are looked at again at once. Rows of the
    surveys are locked. `causes`: the id of the event that calls each off, by plan.
    """
    taken: list[Ask] = []
    for ask in running:
        unsent = ask.handed_over_at is None
        version = ask.event_version + 1
        taken.append(
            altered(
                ask,
                state=AskState.CANCELLED,
                released_at=tx.now if unsent else ask.released_at,
                next_step_at=None,
                closed_at=tx.now,
                event_version=version,
            )
        )
        snapshot = Snapshot.model_validate_json(ask.snapshot)
        payload = SurveyCancelled(
            survey_id=str(ask.survey_id),
            version=version,
            snapshot=snapshot,
            reason=reason,
            cancelled_at=tx.now,
        )
        tx.emit(payload, identity=str(ask.survey_id), key=snapshot.key)
    await asks.save_asks(tx.conn, taken)
    lines = [(causes[ask.plan_id], of_recall(ask, reason)) for ask in running]
    await record(tx, [(event_id, line) for event_id, line in lines if line])
    await wake_waiting(tx, [ask for ask in running if ask.handed_over_at is None])
