"""What was refused at the door is written down, so that it can be found."""

from __future__ import annotations

from services.trigger.domain.refused import Refusals
from services.trigger.store import refused
from shared.db.database import Database


class RefusalLog:
    """Writes down what was refused since the last round."""

    def __init__(self, db: Database, refusals: Refusals) -> None:
        self._db = db
        self._refusals = refusals

    async def run(self) -> int:
        """One round; never has more to do at once."""
        counted = self._refusals.taken()
        if not counted:
            return 0
        try:
            async with self._db.begin() as tx:
                await refused.add(tx.conn, counted, tx.now)
        except BaseException:
            self._refusals.put_back(counted)
            raise
        return 0
