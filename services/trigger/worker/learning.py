"""Learns once a day when people answer, and which moments in what they do may be worth a question."""

from __future__ import annotations

from services.trigger.store import habits, slots
from shared.db.database import Database


class Learning:
    """The loop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self) -> int:
        """Learn, if it was not done today; never has more to do at once."""
        async with self._db.begin() as tx:
            if await slots.learn(tx.conn, tx.now.date()):
                await habits.spot(tx.conn, tx.now.date())
        return 0
