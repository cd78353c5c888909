"""`/v1/scores/files`: whether tables were written into the folder, and why one was not."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.scoring.domain.filing import due_place
from services.scoring.domain.tables import Table
from services.scoring.store import filed
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.security.access import Scope, require_scope
from shared.web.caching import SAME, AskedAgain
from shared.web.paging import Paging, paging


class FiledOut(BaseModel):
    """One table of one day; pending: it is not there yet, or could not be written and is tried again."""

    day: date
    name: Table
    state: Literal["pending", "written", "failed"]
    attempts: int
    ended_at: datetime | None
    bytes: int | None = Field(description="of the file; None while it is not written")
    detail: str = Field(description="why it could not be written")


class FilesOut(BaseModel):
    """Files, the newest day first; `next` is the cursor of what follows."""

    files: list[FiledOut]
    next: str | None


def routes(db: Database, clock: Clock) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/v1/scores", tags=["scores"], route_class=AskedAgain, responses=SAME)

    @router.get("/files", dependencies=[Depends(require_scope(Scope.EXPORTS_READ))])
    async def listed(
        page: Annotated[Paging, Depends(paging(2))], days: Annotated[int, Query(ge=1, le=400)] = 30
    ) -> FilesOut:
        """What became of the files of the last days."""
        async with db.read() as conn:
            found = await filed.listed(conn, clock.now().date() - timedelta(days=days))
        shown, following = page.of(found, lambda one: due_place(one["day"], one["name"]))
        return FilesOut(files=[FiledOut.model_validate(one) for one in shown], next=following)

    return router
