"""What waits at present, for Prometheus."""

from __future__ import annotations

from services.trigger import metrics
from services.trigger.store import brakes, missed
from shared.contracts.reasons import Reason
from shared.db.database import Database

NOT_YET_DUE = ""


class Gauges:
    """Refreshes the number of waiting plans, by what they wait for."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self) -> int:
        """Count once; never has more to do at once."""
        async with self._db.read() as conn:
            await brakes.add_up(conn)
            waiting = await brakes.waiting(conn)
            metrics.MISSED.set(await missed.counted(conn))
        totals: dict[str, int] = dict.fromkeys((NOT_YET_DUE, *Reason), 0)
        for _, reason, count in waiting:
            totals[reason] += count
        for reason, count in totals.items():
            metrics.PLANS_PENDING.labels(reason).set(count)
        return 0
