"""`/programmes/learned`, `/programmes/moments`: when people answer, and what else may be worth a question."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from services.trigger.domain.lessons import shown
from services.trigger.handlers.moments import NoMomentError, offer_again, offered, one_of, set_aside
from services.trigger.pages.showing import operators_of
from services.trigger.pages.view import ENVIRONMENT
from services.trigger.store import programmes, slots
from shared.runtime.service import Platform
from shared.security.access import Principal, Role, User, require_role
from shared.web.forms import text_fields
from shared.web.paths import Key
from shared.web.problems import Problem
from shared.web.templates import page

Viewer = Annotated[User, Depends(require_role(Role.VIEWER))]
Manager = Annotated[User, Depends(require_role(Role.MANAGER))]
LIST = "/programmes/moments"


def router(platform: Platform) -> APIRouter:
    """The pages."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/programmes/learned")
    async def learned(request: Request, _user: Viewer) -> Response:
        """What was learned of each kind of people, the best slot first, and what follows from it."""
        async with platform.db.read() as conn:
            found = await slots.lessons(conn)
            editions = await programmes.current_editions(conn)
        segments = shown(((one.segment, one.slot, one.seen) for one in found), editions)
        as_of = max((one.as_of for one in found), default=None)
        return page(request, ENVIRONMENT, "learned.html", {"segments": segments, "as_of": as_of})

    _add_moments(routes, platform)
    return routes


def _add_moments(routes: APIRouter, platform: Platform) -> None:
    @routes.get(LIST)
    async def moments(request: Request, user: Viewer) -> Response:
        """Moments that may be worth a question, with a programme to copy; those set aside are below."""
        async with platform.db.read() as conn:
            found = await offered(conn, platform.clock.now().date())
        context = {
            "candidates": [one for one in found if one.set_aside is None],
            "set_aside": [one for one in found if one.set_aside],
            "operators": await operators_of(platform, (one.set_aside.by for one in found if one.set_aside)),
            "may": user.role.includes(Role.MANAGER),
        }
        return page(request, ENVIRONMENT, "moments.html", context)

    @routes.get(f"{LIST}/{{key}}/programme")
    async def sketch(key: Key, _user: Viewer) -> Response:
        """The programme to begin with, as a file."""
        async with platform.db.read() as conn:
            try:
                found = await one_of(conn, platform.clock.now().date(), key)
            except NoMomentError as error:
                raise _unknown() from error
        headers = {"content-disposition": f'attachment; filename="{found.key}.yaml"'}
        return Response(found.sketch, media_type="application/yaml", headers=headers)

    @routes.post(f"{LIST}/set-aside")
    async def put_aside(request: Request, user: Manager) -> Response:
        """Offer a moment no more."""
        key = (await text_fields(request)).get("key", "")
        try:
            async with platform.db.begin() as tx:
                await set_aside(tx, key, Principal.of_user(user).actor)
        except NoMomentError as error:
            raise _unknown() from error
        return RedirectResponse(LIST, 303)

    @routes.post(f"{LIST}/offer-again")
    async def take_back(request: Request, _user: Manager) -> Response:
        """Offer a moment again."""
        key = (await text_fields(request)).get("key", "").replace("\0", "")
        async with platform.db.begin() as tx:
            await offer_again(tx, key)
        return RedirectResponse(LIST, 303)


def _unknown() -> Problem:
    return Problem(
        404, "There is no such moment any more.", what_to_do="See the page Moments worth a question."
    )
