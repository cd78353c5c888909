"""Programmes that ended: what waited of them is called off."""

from __future__ import annotations

from services.trigger import metrics
from services.trigger.handlers.freeing import give_places_back
from services.trigger.store import directory, plans
from shared.contracts.reasons import Outcome, Reason
from shared.db.database import Tx

PAGE = 5000
"""Plans of one programme that are called off in one transaction, so that none is held for long."""


async def stop_ended(tx: Tx, limit: int = PAGE) -> int:
    """Call off a page of what waits of programmes that were archived, or changed between shadow and live.

    Whoever waited behind such a plan may be asked now. Surveys that were sent take answers until they close.

    Returns:
        How many plans were called off; 0 when nothing is left.
    """
    ending = await plans.ending_plans(tx.conn, limit)
    if not ending:
        return 0
    # People and companies before plans, as a round of the gate: whom it lets wait for these is woken.
    people = {one.contact_id for one in ending if one.contact_id}
    await directory.lock_people(tx.conn, people, {one.account_id for one in ending if one.account_id})
    stopped = await plans.stop_plans(tx.conn, tx.now, [one.id for one in ending])
    for one in stopped:
        counter = metrics.SHADOW_DECISIONS if one.shadow else metrics.DECISIONS
        counter.labels(Outcome.CANCELLED, one.reason).inc()
    live = [one for one in stopped if not one.shadow]
    rivals = sorted({one.contact_id for one in live if one.contact_id})
    companies = sorted({one.account_id for one in live if one.account_id and not one.contact_id})
    if rivals:
        await plans.wake_plans(tx.conn, tx.now, [Reason.OUTRANKED], contacts=rivals)
    if companies:
        await plans.wake_plans(tx.conn, tx.now, [Reason.OUTRANKED], accounts=companies)
    await give_places_back(tx, (one.account_id for one in live))
    return len(stopped)
