"""People look at what machines did, and may overrule the verdict."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from services.collector.store import observations as seen
from services.collector.store import settling
from shared.db.database import Database
from shared.security.access_store import audit


class Review:
    """Reads observations and held answers; releases."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def observations(self, survey_id: UUID, after: int, limit: int) -> list[dict[str, Any]]:
        """Observations of one survey in order, without addresses."""
        async with self._db.read() as conn:
            return await seen.page_of(conn, survey_id, after, limit)

    async def held(self, after: UUID, limit: int) -> list[dict[str, Any]]:
        """Held answers with verdict and evidence."""
        async with self._db.read() as conn:
            rows = await settling.held(conn, after, limit)
        return [_with_account(row) for row in rows]

    async def released(self) -> int:
        """How many answers a user let count that are still on their way into scores and tickets."""
        async with self._db.read() as conn:
            return await settling.released(conn)

    async def wishes(self, after: int, limit: int) -> list[dict[str, Any]]:
        """Wishes to be contacted."""
        async with self._db.read() as conn:
            rows = await seen.wishes(conn, after, limit)
        return [_with_account(row) for row in rows]

    async def release(self, survey_id: UUID, user: str) -> bool:
        """Let a user vouch for a held answer; False when there is none."""
        async with self._db.begin() as tx:
            released = await settling.release(tx.conn, survey_id, user, tx.now)
            if released:
                await audit(tx.conn, tx.now, f"user:{user}", "answer.released", str(survey_id))
        return released

    async def keep(self, survey_id: UUID, user: str) -> bool:
        """Let a user leave an answer held, having looked at it; False when it is not held."""
        async with self._db.begin() as tx:
            kept = await settling.keep(tx.conn, survey_id, user)
            if kept:
                await audit(tx.conn, tx.now, f"user:{user}", "answer.left_held", str(survey_id))
        return kept


def _with_account(row: dict[str, Any]) -> dict[str, Any]:
    """Ids in place of the stored snapshot."""
    snapshot = json.loads(row.pop("snapshot"))
    return row | {name: snapshot[name] for name in ("programme", "contact_id", "account_id", "account_name")}
