"""Routes for programs: what became of messages, who is not written to."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.dispatch.domain.states import State
from services.dispatch.store import suppressions, views
from services.dispatch.store.views import Filter
from shared.db.database import Database
from shared.security.access import Principal, Scope, require_scope
from shared.web.instants import Moment

MAX_ROWS = 500
Limit = Annotated[int, Query(ge=1, le=MAX_ROWS)]
MessageReader = Annotated[Principal, Depends(require_scope(Scope.MESSAGES_READ))]
ContactReader = Annotated[Principal, Depends(require_scope(Scope.CONTACTS_READ))]


def routes(db: Database) -> APIRouter:
    """The routes below `/v1/messages` and `/v1/suppressions`."""
    router = APIRouter(prefix="/v1", tags=["dispatch"])

    @router.get("/messages")
    async def messages(
        _reader: MessageReader,
        survey: UUID | None = None,
        contact: UUID | None = None,
        state: State | None = None,
        limit: Limit = 100,
    ) -> dict[str, Any]:
        """Messages with their attempts, newest first; those that could not be sent are `?state=failed`."""
        async with db.read() as conn:
            found = await views.messages(conn, Filter(survey, contact, state and state.value, limit))
        return {"messages": [asdict(message) for message in found]}

    @router.get("/messages/books")
    async def books(_reader: MessageReader) -> dict[str, Any]:
        """Surveys by what became of their first message; `balanced` says that none got lost."""
        async with db.read() as conn:
            sums = await views.books(conn)
        return {**asdict(sums), "balanced": sums.balanced}

    @router.get("/suppressions")
    async def stopped(
        _reader: ContactReader, before: Moment | None = None, limit: Limit = 100, *, lifted: bool = False
    ) -> dict[str, Any]:
        """Who is not written to and why, newest first; ids only, addresses are not kept.

        With `lifted` who was not, until they agreed again, took it back, or somebody took it off on grounds.
        """
        read = suppressions.lifted if lifted else suppressions.suppressions
        async with db.read() as conn:
            found = await read(conn, limit, before)
        return {"suppressions": [asdict(one) for one in found]}

    return router
