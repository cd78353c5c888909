"""`GET /v1/decisions/parked`: which events wait because nobody is known by the id that they give."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from services.trigger.store import parked
from services.trigger.store.parked import Shown
from shared.runtime.service import Platform
from shared.security.access import Principal, require_scope
from shared.web.paths import PLAIN

Reader = Annotated[Principal, Depends(require_scope("decisions:read"))]


def router(platform: Platform) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/v1/decisions", tags=["decisions"])

    @routes.get("/parked")
    async def list_parked(
        _reader: Reader,
        state: Literal["waiting", "released", "expired"] | None = "waiting",
        source: Annotated[str, Query(max_length=320, pattern=PLAIN)] = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> list[Shown]:
        """Newest first; `named` is the sender's id, `why` what was tried.

        `source` keeps to events of one sender.
        """
        async with platform.db.read() as conn:
            return await parked.listed(conn, state, limit, source)

    return routes
