"""Parked reports: told as soon as the directory knows who is meant, given up when they waited long enough."""

from __future__ import annotations

from services.trigger import metrics
from services.trigger.handlers.intake import tell
from services.trigger.handlers.ledger import record
from services.trigger.handlers.parking import given_up, reachable_of
from services.trigger.store import parked
from shared.db.database import Database, Tx
from shared.security.sealing import Sealer

BATCH = 200
WHY = ("unknown", "looked_up_in_vain", "look_up_failed")


class ParkedReports:
    """Releases and expires."""

    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._db = db
        self._sealer = sealer

    async def run(self) -> int:
        """One round; returns how many reports were settled. It is woken often, and mostly there are none."""
        async with self._db.read() as conn:
            counts = await parked.counted(conn)
        for why in WHY:
            metrics.PARKED.labels(why).set(counts.get(why, 0))
        if not counts:
            return 0
        async with self._db.begin() as tx:
            released = await self._release(tx)
            expired = await parked.expire(tx.conn, tx.now, BATCH)
            await record(tx, [(one.event_id, given_up(one.report)) for one in expired])
        return released + len(expired)

    async def _release(self, tx: Tx) -> int:
        known = await parked.lock_known(tx.conn, BATCH)
        reachable = await reachable_of(
            tx.conn, self._sealer, {one.contact_id for one in known if one.contact_id}
        )
        ready = [one for one in known if one.contact_id in reachable]
        await tell(tx, self._sealer, [one.report for one in ready])
        await parked.release(tx.conn, [one.id for one in ready], tx.now)
        await parked.pass_over(tx.conn, [one for one in known if one.contact_id not in reachable])
        return len(ready)
