"""Decisions go to the ledger and are counted, in one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from services.trigger import metrics
from services.trigger.domain.model import Decision
from services.trigger.store import ledger, shadow
from shared.contracts.reasons import Outcome
from shared.db.database import Tx


async def record(tx: Tx, decisions: Sequence[tuple[str, Decision]]) -> None:
    """Write decisions, each with the id of the event that caused it ("" = time did).

    Those of programmes in shadow are counted apart, so that no rate of what was really sent moves.
    """
    await ledger.write(tx.conn, tx.now, decisions)
    counts = Counter((one.shadow, one.outcome, one.reason or "") for _, one in decisions)
    for (shadowed, outcome, reason), count in counts.items():
        metric = metrics.SHADOW_DECISIONS if shadowed else metrics.DECISIONS
        metric.labels(outcome, reason).inc(count)
    refused = Counter(
        (one.programme, one.reason)
        for _, one in decisions
        if one.shadow and one.outcome is Outcome.NOT_MATCHED and one.reason
    )
    await shadow.count_refusals(tx.conn, tx.now.date(), refused)
