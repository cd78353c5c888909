"""Calls off what waits of programmes that ended, page by page."""

from __future__ import annotations

from services.trigger.handlers.stopping import stop_ended
from shared.db.database import Database


class EndedProgrammes:
    """The loop; each page is a transaction of its own, and what is left is found again after a crash."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self) -> int:
        """Call off a page; returns how many plans."""
        async with self._db.begin() as tx:
            return await stop_ended(tx)
