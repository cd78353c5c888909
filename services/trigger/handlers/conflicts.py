"""The same id with another body on the topic of touchpoints: the first stands, and it can be found."""

from __future__ import annotations

from collections.abc import Sequence

from services.trigger import metrics
from services.trigger.domain.model import Decision
from services.trigger.handlers.ledger import record
from services.trigger.store import sent_ids
from shared.contracts.reasons import Outcome, Reason
from shared.db.database import Tx
from shared.runtime.inbox import Conflict

WHY = "something else came under the id of an event that was taken already, and the first stands"
KAFKA = "kafka"


async def on_conflicts(conflicts: Sequence[Conflict], tx: Tx) -> None:
    """Count them, and write one line for each id, found by the event's id; repeats are only counted."""
    metrics.WEBHOOKS.labels(KAFKA, "conflict").inc(sum(one.times for one in conflicts))
    first = [one.identity for one in conflicts if one.first]
    apart = await sent_ids.apart(tx.conn, first)
    lines = [
        (
            apart.get((source, event_id), event_id),
            Decision(
                outcome=Outcome.NOT_MATCHED, reason=Reason.DUPLICATE, inputs={"why": WHY, "source": source}
            ),
        )
        for source, event_id in first
    ]
    await record(tx, lines)
