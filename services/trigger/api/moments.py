"""`/v1/moments/learned`: when people answer."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.trigger.domain.lessons import SegmentShown, shown
from services.trigger.store import slots
from shared.runtime.service import Platform
from shared.security.access import Principal, require_scope

Reader = Annotated[Principal, Depends(require_scope("programmes:read"))]


class LearnedShown(BaseModel):
    """What was learned of each kind of people."""

    segments: list[SegmentShown]


def router(platform: Platform) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/v1", tags=["operation"])

    @routes.get("/moments/learned")
    async def learned(_reader: Reader) -> LearnedShown:
        """Share that answers by weekday and hours at the recipient, with its interval, per kind of people."""
        async with platform.db.read() as conn:
            found = await slots.lessons(conn)
        return LearnedShown(segments=shown((one.segment, one.slot, one.seen) for one in found))

    return routes
