"""`/v1/moments`: when people answer, and which moments in what they do may be worth a question."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.trigger.domain.candidates import Candidate
from services.trigger.domain.lessons import SegmentShown, shown
from services.trigger.handlers.moments import NoMomentError, offer_again, offered, set_aside
from services.trigger.store import programmes, slots
from shared.runtime.service import Platform
from shared.security.access import Principal, require_scope
from shared.web.paths import Key
from shared.web.problems import Problem

Reader = Annotated[Principal, Depends(require_scope("programmes:read"))]
Writer = Annotated[Principal, Depends(require_scope("programmes:write"))]
LIST = "GET /v1/moments/candidates lists them."


class LearnedShown(BaseModel):
    """What was learned of each kind of people."""

    segments: list[SegmentShown]


class CandidatesShown(BaseModel):
    """Moments that are not asked about yet come first, those that were set aside last."""

    candidates: list[Candidate]


def router(platform: Platform) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1", tags=["operation"])

    @routes.get("/moments/learned")
    async def learned(_reader: Reader) -> LearnedShown:
        """Share that answers by weekday and hours at the recipient, and how sure that is."""
        async with platform.db.read() as conn:
            found = await slots.lessons(conn)
            editions = await programmes.current_editions(conn)
        return LearnedShown(segments=shown(((one.segment, one.slot, one.seen) for one in found), editions))

    @routes.get("/moments/candidates")
    async def find_candidates(_reader: Reader) -> CandidatesShown:
        """Moments in what people do that may be worth a question, with a programme to begin with."""
        async with platform.db.read() as conn:
            return CandidatesShown(candidates=await offered(conn, platform.clock.now().date()))

    @routes.put("/moments/candidates/{key}/set-aside", status_code=204)
    async def put_aside(key: Key, writer: Writer) -> None:
        """Offer a moment no more; it stays in the list, with who set it aside."""
        try:
            async with platform.db.begin() as tx:
                await set_aside(tx, key, writer.actor)
        except NoMomentError as error:
            raise Problem(404, "There is no such moment.", what_to_do=LIST, field="key") from error

    @routes.delete("/moments/candidates/{key}/set-aside", status_code=204)
    async def take_back(key: Key, _writer: Writer) -> None:
        """Offer a moment again that was set aside."""
        async with platform.db.begin() as tx:
            await offer_again(tx, key)

    return routes
