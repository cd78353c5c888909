"""`/v1/moments`: when people answer, and which moments in what they do may be worth a question."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.trigger.domain.candidates import Candidate, candidates
from services.trigger.domain.lessons import SegmentShown, shown
from services.trigger.store import habits, programmes, slots
from shared.runtime.service import Platform
from shared.security.access import Principal, require_scope

Reader = Annotated[Principal, Depends(require_scope("programmes:read"))]


class LearnedShown(BaseModel):
    """What was learned of each kind of people."""

    segments: list[SegmentShown]


class CandidatesShown(BaseModel):
    """Moments that are not asked about yet come first."""

    candidates: list[Candidate]


def router(platform: Platform) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/v1", tags=["operation"])

    @routes.get("/moments/learned")
    async def learned(_reader: Reader) -> LearnedShown:
        """Share that answers by weekday and hours at the recipient, with its interval, per kind of people."""
        async with platform.db.read() as conn:
            found = await slots.lessons(conn)
        return LearnedShown(segments=shown((one.segment, one.slot, one.seen) for one in found))

    @routes.get("/moments/candidates")
    async def find_candidates(_reader: Reader) -> CandidatesShown:
        """Moments in what people do that may be worth a question, with a programme to begin with."""
        async with platform.db.read() as conn:
            found = await habits.spotted(conn, platform.clock.now().date())
            editions = await programmes.current_editions(conn)
        return CandidatesShown(candidates=candidates(found, editions))

    return routes
