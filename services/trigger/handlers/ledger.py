"""Decisions go to the ledger and are counted, in one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from services.trigger import metrics
from services.trigger.domain.model import Decision
from services.trigger.store import ledger, shadow
from shared.contracts.reasons import Outcome, Reason
from shared.db.database import Tx


async def record(tx: Tx, decisions: Sequence[tuple[str, Decision]]) -> None:
    """Write decisions, each with the id of the event that caused it ("" = time did).

    Those of programmes in shadow are counted apart, so that no rate of what was really sent moves.
    """
    await ledger.write(tx.conn, tx.now, decisions)
    refused: Counter[tuple[str, Reason]] = Counter()
    for _, decision in decisions:
        if not decision.shadow:
            metrics.DECISIONS.labels(decision.outcome, decision.reason or "").inc()
            continue
        metrics.SHADOW_DECISIONS.labels(decision.outcome, decision.reason or "").inc()
        if decision.outcome is Outcome.NOT_MATCHED and decision.reason:
            refused[decision.programme, decision.reason] += 1
    await shadow.count_refusals(tx.conn, tx.now.date(), refused)
