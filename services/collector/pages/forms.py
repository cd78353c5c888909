"""`/answers/forms`: forms of other tools, what came by each, and what could not be used."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from services.collector.handlers.form_listing import FormListing
from services.collector.pages.frame import FOLDER
from shared.security.access import Role, User, require_role
from shared.web.templates import environment, page

ENVIRONMENT = environment(FOLDER / "desk")
SHOWN = 100
"""Findings of one page; all of them are at `/v1/forms/findings`."""

Reader = Annotated[User, Depends(require_role(Role.REP))]


def form_page_routes(listing: FormListing) -> APIRouter:
    """The page."""
    router = APIRouter(prefix="/answers", include_in_schema=False)

    @router.get("/forms")
    async def show(
        request: Request, _user: Reader, form: Annotated[str, Query(max_length=300)] = ""
    ) -> Response:
        """All forms; of one, or of all, what could not be used, the last first."""
        findings = await listing.newest(form, SHOWN)
        context = {
            "forms": await listing.forms(),
            "findings": findings,
            "complaints": listing.complaints(),
            "only": form,
            "more": len(findings) == SHOWN,
            "section": "programmes",
        }
        return page(request, ENVIRONMENT, "forms.html", context)

    return router
