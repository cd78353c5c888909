"""`/answers/held`: answers that look machine-made, with the reasons, for people to decide about."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from services.collector.domain.evidence import MEANINGS, WEIGHTS, Evidence
from services.collector.domain.listing import Filters, Standing
from services.collector.domain.texts import text_in
from services.collector.handlers.listing import START, Listing
from services.collector.handlers.review import Review
from services.collector.pages.frame import FOLDER
from shared.contracts.forms import SCALES, Form, QuestionType
from shared.security.access import Role, User, require_role
from shared.web.i18n import negotiate
from shared.web.problems import Problem
from shared.web.templates import environment, page

ENVIRONMENT = environment(FOLDER / "desk")
PAGE = 20
"""Answers on one page; the others move up as somebody decides."""

Reader = Annotated[User, Depends(require_role(Role.REP))]
Manager = Annotated[User, Depends(require_role(Role.MANAGER))]


def held_routes(listing: Listing, review: Review) -> APIRouter:
    """The page and its two buttons."""
    router = APIRouter(prefix="/answers", include_in_schema=False)

    @router.get("/held")
    async def held(request: Request, user: Reader, looked_at: bool = False, done: str = "") -> Response:  # noqa: FBT001, FBT002 - parameters of the address
        """What is held and nobody has looked at yet, the oldest first; or what somebody left held."""
        language = negotiate(user.locale)
        found = await listing.page(Filters(Standing.HELD, reviewed=looked_at), START, PAGE)
        context = {
            "answers": [
                _shown(item, form, language) for item, form in zip(found.items, found.forms, strict=True)
            ],
            "more": len(found.items) == PAGE,
            "may": user.role.includes(Role.MANAGER),
            "looked_at": looked_at,
            "done": done,
            "released": await review.released(),
            "section": "settings",
        }
        return page(request, ENVIRONMENT, "held.html", context)

    @router.post("/held/{survey}/release")
    async def release(survey: UUID, user: Manager) -> Response:
        """Count it: a person vouches that a person made it."""
        if not await review.release(survey, str(user.id)):
            raise _over()
        return RedirectResponse("/answers/held?done=released", 303)

    @router.post("/held/{survey}/keep")
    async def keep(survey: UUID, user: Manager) -> Response:
        """Leave it held: it is off the list unless something new comes in."""
        if not await review.keep(survey, str(user.id)):
            raise _over()
        return RedirectResponse("/answers/held?done=kept", 303)

    return router


def _over() -> Problem:
    return Problem(409, "This answer is not held any more.", what_to_do="Open the list again.")


def _shown(item: dict[str, Any], form: Form, language: str) -> dict[str, Any]:
    """An answer in words of the page; its evidence with what it means, the weightiest first."""
    primary = item["primary"]
    known = [Evidence(name) for name in item["evidence"] if name in set(Evidence)]
    reasons = sorted(known, key=lambda one: -WEIGHTS[one])
    return {
        "survey": item["survey_id"],
        "account": item["account_name"],
        "title": text_in(form.title, language, {}) or item["programme"],
        "received_at": datetime.fromisoformat(item["received_at"]),
        "value": primary["value"],
        "most": SCALES[QuestionType(primary["type"])][1],
        "mood": item["mood"],
        "verdict": item["verdict"],
        "texts": list(item["texts"].values()),
        "reasons": [{"meaning": MEANINGS[one], "points": WEIGHTS[one]} for one in reasons],
    }
