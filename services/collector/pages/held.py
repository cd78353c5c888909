"""`/answers/held`: answers that look machine-made, with the reasons, for people to decide about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel

from services.collector.domain.evidence import MEANINGS, WEIGHTS, Evidence
from services.collector.domain.listing import Filters, Standing
from services.collector.domain.review import TakenBack, Why
from services.collector.domain.texts import text_in
from services.collector.handlers.listing import END, START, Listing
from services.collector.handlers.review import Review
from services.collector.pages.frame import FOLDER
from services.collector.store.listing import Word
from shared.contracts.forms import SCALES, Form, QuestionType
from shared.security.access import Role, User, access_of, require_role
from shared.web.cursors import after_moment, moment_cursor
from shared.web.forms import text_fields
from shared.web.i18n import negotiate
from shared.web.problems import Problem
from shared.web.templates import environment, page

ENVIRONMENT = environment(FOLDER / "desk")
PAGE = 20
"""Answers on one page; the others move up as somebody decides."""

Reader = Annotated[User, Depends(require_role(Role.REP))]
Manager = Annotated[User, Depends(require_role(Role.MANAGER))]


class View(BaseModel):
    """What the address of the page says: which list, from where on, and what was just done."""

    looked_at: bool = False
    counted: bool = False
    before: str = ""
    done: str = ""


def held_routes(listing: Listing, review: Review) -> APIRouter:
    """The page and its buttons."""
    router = APIRouter(prefix="/answers", include_in_schema=False)

    @router.get("/held")
    async def held(request: Request, user: Reader, view: Annotated[View, Query()]) -> Response:
        """What is held and nobody looked at, the oldest first; or was left held, or counts by our word."""
        if view.counted:
            found = await listing.by_word(after_moment(view.before) or END, PAGE)
        else:
            found = await listing.page(Filters(Standing.HELD, reviewed=view.looked_at), START, PAGE)
        names = {str(one.id): one.name for one in await access_of(request).list_users()}
        tell = Teller(negotiate(user.locale), names)
        rows = zip(found.items, found.forms, found.words, strict=True)
        context = {
            "answers": [tell.shown(item, form, word) for item, form, word in rows],
            "more": len(found.items) == PAGE,
            "next": moment_cursor(*found.last) if found.last else "",
            "may": user.role.includes(Role.MANAGER),
            "view": view,
            "reasons": list(Why),
            "released": await review.released(),
            "section": "settings",
        }
        return page(request, ENVIRONMENT, "held.html", context)

    _deciding(router, review)
    return router


def _deciding(router: APIRouter, review: Review) -> None:
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

    @router.post("/held/{survey}/take-back")
    async def take_back(request: Request, survey: UUID, user: Manager) -> Response:
        """Take back that somebody let it count."""
        reason = (await text_fields(request)).get("reason", "")
        if reason not in set(Why):
            raise Problem(422, "Say why.", what_to_do="Go back and choose a reason.", field="reason")
        became = await review.take_back(survey, str(user.id), Why(reason))
        if became is TakenBack.NOTHING:
            raise Problem(409, "This answer counts by nobody's word.", what_to_do="Open the list again.")
        return RedirectResponse(f"/answers/held?counted=true&done=taken_back_{became.value}", 303)


def _over() -> Problem:
    return Problem(409, "This answer is not held any more.", what_to_do="Open the list again.")


@dataclass(frozen=True, slots=True)
class Teller:
    """Puts answers into words of the page; `names` are of our own people by their ids."""

    language: str
    names: Mapping[str, str]

    def shown(self, item: dict[str, Any], form: Form, word: Word | None) -> dict[str, Any]:
        """An answer; its evidence with what it means, the weightiest first."""
        primary = item["primary"]
        known = [Evidence(name) for name in item["evidence"] if name in set(Evidence)]
        reasons = sorted(known, key=lambda one: -WEIGHTS[one])
        return {
            "survey": item["survey_id"],
            "account": item["account_name"],
            "title": text_in(form.title, self.language, {}) or item["programme"],
            "received_at": datetime.fromisoformat(item["received_at"]),
            "value": primary["value"],
            "most": SCALES[QuestionType(primary["type"])][1],
            "mood": item["mood"],
            "verdict": item["verdict"],
            "texts": list(item["texts"].values()),
            "reasons": [{"meaning": MEANINGS[one], "points": WEIGHTS[one]} for one in reasons],
            "on_its_way": item["state"] == Standing.HELD,
            "word": word and {"by": self.names.get(word.by, ""), "at": word.at, "why": word.why},
        }
