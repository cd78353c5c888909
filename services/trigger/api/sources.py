"""`/v1/sources`: what `sources.yaml` is read as, and what its sources say that we missed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.trigger.domain.findings import Finding
from services.trigger.sources.live import LiveSources
from services.trigger.store import missed
from services.trigger.store.missed import Shown
from shared.runtime.service import Platform
from shared.security.access import Principal, require_scope
from shared.web.paths import PLAIN
from shared.web.problems import Problem

Reader = Annotated[Principal, Depends(require_scope("programmes:read"))]
Writer = Annotated[Principal, Depends(require_scope("contacts:write"))]
Some = Annotated[str, Query(min_length=1, max_length=200, pattern=PLAIN)]


class SourcesShown(BaseModel):
    """The topics that this instance reads, and why a changed file was not taken up."""

    topics: tuple[str, ...]
    findings: tuple[Finding, ...]


def router(platform: Platform, sources: LiveSources) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/sources", tags=["operation"])

    @routes.get("")
    async def show_sources(_reader: Reader) -> SourcesShown:
        """What is read at present."""
        return SourcesShown(topics=sources.topics(), findings=sources.findings)

    @routes.get("/missed")
    async def list_missed(_reader: Reader, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> list[Shown]:
        """Records of which changes were missed, newest first; look them up there and tell us how they are."""
        async with platform.db.read() as conn:
            return await missed.listed(conn, limit)

    @routes.delete("/missed", status_code=204)
    async def settle_missed(_writer: Writer, source: Some, entity: Some, record: Some) -> None:
        """A record was looked up."""
        async with platform.db.begin() as tx:
            if not await missed.settle(tx.conn, source, entity, record):
                raise Problem(404, "Nothing was missed of that.", field="record")

    return routes
