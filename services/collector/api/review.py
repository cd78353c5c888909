"""What people may look at and decide: observations, held answers, wishes to be contacted."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.collector.domain.review import TakenBack, Why
from services.collector.handlers.review import Review
from services.collector.handlers.verdicts import Verdicts
from shared.security.access import Principal, User, require_role, require_scope
from shared.web.problems import Problem as HttpProblem

Reader = Annotated[Principal, Depends(require_scope("responses:read"))]
Manager = Annotated[User, Depends(require_role("manager"))]
After = Annotated[int, Query(ge=0, lt=2**63)]
Limit = Annotated[int, Query(ge=1, le=500)]
FIRST = UUID(int=0)


class TakingBack(BaseModel):
    """Why a word is taken back."""

    reason: Why


def review_routes(review: Review, verdicts: Verdicts) -> APIRouter:
    """What people may look at and decide: observations, held answers, wishes to be contacted."""
    router = APIRouter(tags=["responses"])

    @router.get("/v1/observations")
    async def observations(_: Reader, survey: UUID, after: After = 0, limit: Limit = 200) -> dict[str, Any]:
        """What was seen of a survey's link, in order; why an answer was taken for a machine's."""
        return {"observations": await review.observations(survey, after, limit)}

    @router.get("/v1/responses/held")
    async def held(_: Reader, after: UUID = FIRST, limit: Limit = 100) -> dict[str, Any]:
        """Answers held back, each with verdict and evidence."""
        return {"held": await review.held(after, limit)}

    @router.get("/v1/responses/{survey}/verdicts")
    async def explained(_: Reader, survey: UUID) -> dict[str, Any]:
        """All that was seen of a survey and why each version of its answer was judged so, by which rules."""
        found = await verdicts.explain(survey)
        if found is None:
            raise HttpProblem(404, "There is no answer to this survey.")
        return found

    @router.get("/v1/responses/contact-wishes")
    async def contact_wishes(_: Reader, after: After = 0, limit: Limit = 100) -> dict[str, Any]:
        """Who came after a survey had closed and asked to be contacted."""
        return {"wishes": await review.wishes(after, limit)}

    _deciding(router, review)
    return router


def _deciding(router: APIRouter, review: Review) -> None:
    @router.post("/v1/responses/{survey}/release", status_code=202)
    async def release(survey: UUID, user: Manager) -> dict[str, str]:
        """Vouch for a held answer: it counts from now on."""
        if not await review.release(survey, str(user.id)):
            raise HttpProblem(404, "There is no held answer to this survey.")
        return {"status": "released"}

    @router.post("/v1/responses/{survey}/take-back", status_code=202)
    async def take_back(survey: UUID, user: Manager, body: TakingBack) -> dict[str, str]:
        """Take back that somebody vouched for an answer: what was seen of it decides again.

        `held`: it counts no longer, scores and tickets follow. `counted`: by now what was seen of it says
        itself that a person answered. Repeating changes nothing.
        """
        became = await review.take_back(survey, str(user.id), body.reason)
        if became is TakenBack.NOTHING:
            raise HttpProblem(404, "No answer to this survey counts by somebody's word.")
        return {"status": became.value}
