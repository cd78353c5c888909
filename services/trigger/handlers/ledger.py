"""Decisions go to the ledger and are counted, in one place."""

from __future__ import annotations

from collections.abc import Sequence

from services.trigger import metrics
from services.trigger.domain.model import Decision
from services.trigger.store import ledger
from shared.db.database import Tx


async def record(tx: Tx, decisions: Sequence[tuple[str, Decision]]) -> None:
    """Write decisions, each with the id of the event that caused it ("" = time did)."""
    await ledger.write(tx.conn, tx.now, decisions)
    for _, decision in decisions:
        metrics.DECISIONS.labels(decision.outcome, decision.reason or "").inc()
