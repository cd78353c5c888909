"""`/programmes/links/{id}`: take a shared link back; the list, with what came of each, is the collector's."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from services.trigger.domain.shared_links import Why
from services.trigger.handlers.shared_links import take_back
from services.trigger.pages.view import ENVIRONMENT
from services.trigger.store import programmes
from services.trigger.store import shared_links as store
from shared.runtime.service import Platform
from shared.security.access import Principal, Role, User, require_role
from shared.web.forms import text_fields
from shared.web.problems import Problem
from shared.web.templates import page

Manager = Annotated[User, Depends(require_role(Role.MANAGER))]
LIST = "/answers/links"


def router(platform: Platform) -> APIRouter:
    """The page that asks whether it is meant, and what it does."""
    routes = APIRouter(prefix="/programmes/links", include_in_schema=False)

    @routes.get("/{ident}")
    async def ask(request: Request, ident: UUID, _user: Manager) -> Response:
        """What taking this link back means; changes nothing."""
        async with platform.db.read() as conn:
            link = await store.get(conn, ident)
            if link is None:
                raise _unknown()
            definition = await programmes.definition_of(conn, link.snapshot.programme) or {}
        context = {
            "link": link,
            "title": definition.get("title", {}),
            "reasons": list(Why),
            "list": LIST,
            "section": "programmes",
        }
        return page(request, ENVIRONMENT, "link_withdraw.html", context)

    @routes.post("/{ident}/withdraw")
    async def withdraw(request: Request, ident: UUID, user: Manager) -> Response:
        """Take it back for good; somebody who was faster wins, and nothing is told twice."""
        fields = await text_fields(request)
        if fields.get("reason") not in set(Why):
            raise Problem(422, "Say why the link is taken back.", field="reason")
        async with platform.db.begin() as tx:
            link = await store.get(tx.conn, ident)
            if link is None:
                raise _unknown()
            actor = Principal.of_user(user).actor
            await take_back(tx, link.snapshot.programme, ident, Why(fields["reason"]), by=actor)
        return RedirectResponse(f"{LIST}?done=withdrawn", 303)

    return routes


def _unknown() -> Problem:
    return Problem(404, "There is no such link.", what_to_do="See the list of shared links.")
