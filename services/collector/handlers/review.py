"""People look at what machines did, may overrule the verdict, and take that back again."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from services.collector.domain.review import TakenBack, Why
from services.collector.domain.settling import current
from services.collector.handlers.answering import Forms
from services.collector.handlers.judging import judged
from services.collector.store import observations as seen
from services.collector.store import review as store
from services.collector.store.settling import load_cases
from services.collector.store.surveys import load_forms
from shared.db.database import Connection, Database
from shared.security.access_store import audit


class Review:
    """Reads observations and held answers; releases, and takes back."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._forms = Forms()

    async def observations(self, survey_id: UUID, after: int, limit: int) -> list[dict[str, Any]]:
        """Observations of one survey in order, without addresses."""
        async with self._db.read() as conn:
            return await seen.page_of(conn, survey_id, after, limit)

    async def held(self, after: UUID, limit: int) -> list[dict[str, Any]]:
        """Held answers with verdict and evidence."""
        async with self._db.read() as conn:
            rows = await store.held(conn, after, limit)
        return [_with_account(row) for row in rows]

    async def released(self) -> int:
        """How many answers a user let count that are still on their way into scores and tickets."""
        async with self._db.read() as conn:
            return await store.released(conn)

    async def wishes(self, after: int, limit: int) -> list[dict[str, Any]]:
        """Wishes to be contacted."""
        async with self._db.read() as conn:
            rows = await seen.wishes(conn, after, limit)
        return [_with_account(row) for row in rows]

    async def release(self, survey_id: UUID, user: str) -> bool:
        """Let a user vouch for a held answer; False when there is none."""
        async with self._db.begin() as tx:
            released = await store.release(tx.conn, survey_id, user, tx.now)
            if released:
                await audit(tx.conn, tx.now, f"user:{user}", "answer.released", str(survey_id))
        return released

    async def take_back(self, survey_id: UUID, user: str, why: Why) -> TakenBack:
        """Let a user take back that somebody vouched for an answer; repeating changes nothing.

        What was seen of the answer decides about it again, and scores and tickets follow by the ordinary
        events. One that is not announced yet never counted.
        """
        async with self._db.begin() as tx:
            done = await store.take_back(tx.conn, survey_id, user, why, tx.now)
            if done is None:
                return TakenBack.NOTHING
            if done:
                await audit(
                    tx.conn, tx.now, f"user:{user}", "answer.taken_back", str(survey_id), reason=why.value
                )
            counts = await self._counts(tx.conn, survey_id)
        return TakenBack.COUNTED if counts else TakenBack.HELD

    async def _counts(self, conn: Connection, survey_id: UUID) -> bool:
        """Whether an answer counts by what was seen of it."""
        (case,) = await load_cases(conn, [survey_id])
        if missing := self._forms.missing({case.questionnaire}):
            self._forms.add(await load_forms(conn, missing))
        return current(judged(case, self._forms[case.questionnaire]).judged).human

    async def keep(self, survey_id: UUID, user: str) -> bool:
        """Let a user leave an answer held, having looked at it; False when it is not held."""
        async with self._db.begin() as tx:
            kept = await store.keep(tx.conn, survey_id, user)
            if kept:
                await audit(tx.conn, tx.now, f"user:{user}", "answer.left_held", str(survey_id))
        return kept


def _with_account(row: dict[str, Any]) -> dict[str, Any]:
    """Ids in place of the stored snapshot."""
    snapshot = json.loads(row.pop("snapshot"))
    return row | {name: snapshot[name] for name in ("programme", "contact_id", "account_id", "account_name")}
