"""`/v1/scores/digests`: whether the weekly mails went out, and why one did not."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.scoring.store import digests
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.security.access import Scope, require_scope
from shared.web.caching import SAME, AskedAgain
from shared.web.cursors import after_day, cursor_of


class DigestOut(BaseModel):
    """The digest of a week for a user; uncertain: the server may have taken it, so it is not sent again."""

    week: date
    user_id: UUID
    state: Literal["pending", "handing_over", "sent", "failed", "uncertain"]
    attempts: int
    planned_at: datetime
    ended_at: datetime | None
    detail: str


class DigestsOut(BaseModel):
    """Digests, the newest week first; `next` is the cursor of what follows."""

    digests: list[DigestOut]
    next: str | None


def routes(db: Database, clock: Clock) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/v1/scores", tags=["scores"], route_class=AskedAgain, responses=SAME)

    @router.get("/digests", dependencies=[Depends(require_scope(Scope.USERS_READ))])
    async def listed(
        weeks: Annotated[int, Query(ge=1, le=52)] = 4,
        cursor: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=2000)] = 500,
    ) -> DigestsOut:
        """What became of digests, the newest week first."""
        since = clock.now().date() - timedelta(weeks=weeks)
        async with db.read() as conn:
            found = await digests.listed(conn, since, after_day(cursor), limit + 1)
        shown = [DigestOut(**row) for row in found[:limit]]
        more = len(found) > limit
        return DigestsOut(
            digests=shown, next=cursor_of(shown[-1].week.toordinal(), shown[-1].user_id) if more else None
        )

    return router
