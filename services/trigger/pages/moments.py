"""`/programmes/learned`, `/programmes/moments`: when people answer, and what else may be worth a question."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.trigger.domain.candidates import candidates
from services.trigger.domain.lessons import shown
from services.trigger.pages.view import ENVIRONMENT
from services.trigger.store import habits, programmes, slots
from shared.runtime.service import Platform
from shared.security.access import User, require_role
from shared.web.templates import page

Viewer = Annotated[User, Depends(require_role("viewer"))]


def router(platform: Platform) -> APIRouter:
    """The page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/programmes/learned")
    async def learned(request: Request, _user: Viewer) -> Response:
        """What was learned of each kind of people, the best slot first."""
        async with platform.db.read() as conn:
            found = await slots.lessons(conn)
        segments = shown((one.segment, one.slot, one.seen) for one in found)
        as_of = max((one.as_of for one in found), default=None)
        return page(request, ENVIRONMENT, "learned.html", {"segments": segments, "as_of": as_of})

    @routes.get("/programmes/moments")
    async def moments(request: Request, _user: Viewer) -> Response:
        """Moments that may be worth a question, with a programme to copy."""
        async with platform.db.read() as conn:
            found = await habits.spotted(conn, platform.clock.now().date())
            editions = await programmes.current_editions(conn)
        return page(request, ENVIRONMENT, "moments.html", {"candidates": candidates(found, editions)})

    return routes
