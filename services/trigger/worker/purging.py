"""Receipts of reports, names of events and settled parked events are forgotten when they are old enough."""

from __future__ import annotations

from datetime import timedelta

from services.trigger import metrics
from services.trigger.store import parked, received, refused, sent_ids
from shared.db.database import Database

BATCH = 5000


class Purge:
    """Forgets what is older than `kept`, in business time, a batch at a time.

    A receipt absorbs repeats of its sender. It is kept as long as the inbox that stands behind it, which
    absorbs whatever comes again later than that.
    """

    def __init__(self, db: Database, kept: timedelta, batch: int = BATCH) -> None:
        self._db = db
        self._kept = kept
        self._batch = batch

    async def run(self) -> int:
        """Forget one batch of each; returns how many rows went."""
        async with self._db.begin() as tx:
            before = tx.now - self._kept
            receipts = await received.purge(tx.conn, before, self._batch)
            settled = await parked.purge(tx.conn, before, self._batch)
            names = await sent_ids.purge(tx.conn, before, self._batch)
            await refused.purge(tx.conn, before)
        metrics.PURGED.labels("receipts").inc(receipts)
        metrics.PURGED.labels("parked").inc(settled)
        metrics.PURGED.labels("names").inc(names)
        return receipts + settled + names
