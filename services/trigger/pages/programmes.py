"""`/programmes`: what runs, what waits, and the brake."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from services.trigger.domain.groups import Group
from services.trigger.domain.journey import journey
from services.trigger.handlers.organisation import pull_brake, release_brake
from services.trigger.handlers.people import as_uuid, find_account
from services.trigger.pages.showing import operators_of
from services.trigger.pages.view import ENVIRONMENT
from services.trigger.store import brakes, directory, plans, programmes
from services.trigger.store.brakes import Brake
from shared.contracts.programmes import ProgrammeState
from shared.db.database import Database
from shared.runtime.service import Platform
from shared.security.access import Principal, User, require_role
from shared.web.forms import text_fields
from shared.web.problems import Problem
from shared.web.templates import page

Viewer = Annotated[User, Depends(require_role("viewer"))]
Manager = Annotated[User, Depends(require_role("manager"))]


def router(platform: Platform) -> APIRouter:
    """The page and its two actions."""
    routes = APIRouter(include_in_schema=False)
    db = platform.db

    @routes.get("/programmes")
    async def show(request: Request, user: Viewer) -> Response:
        """All programmes with what waits, complaints of the last check, and every brake that is set."""
        async with db.read() as conn:
            standing = await programmes.standings(conn)
            definitions = {one.key: await programmes.definition_of(conn, one.key) for one in standing}
            waiting = await brakes.waiting(conn)
            outdated = await plans.waiting_of_old(conn)
            set_now = await brakes.brakes(conn)
            accounts = await directory.get_accounts(conn, [i for b in set_now if (i := as_uuid(b.subject))])
            findings = await programmes.findings(conn)
        context = {
            "programmes": [(one, definitions[one.key] or {}) for one in standing],
            "waiting": {one.key: [(w, n) for p, w, n in waiting if p == one.key] for one in standing},
            "all_paused": next((b for b in set_now if b.scope == "all"), None),
            "operators": await operators_of(platform, (b.set_by for b in set_now)),
            "accounts": [
                (b, accounts[i].name or b.subject) for b in set_now if (i := as_uuid(b.subject)) in accounts
            ],
            "findings": findings,
            "outdated": outdated,
            "may": user.role.includes(type(user.role)("manager")),
        }
        return page(request, ENVIRONMENT, "programmes.html", context)

    _add_journey(routes, db)

    @routes.post("/programmes/pause")
    async def pause(request: Request, user: Manager) -> Response:
        """Pull the brake."""
        scope, subject, note = await _wanted(request, platform)
        async with db.begin() as tx:
            await pull_brake(tx, Brake(scope, subject, tx.now, Principal.of_user(user).actor, note))
        return RedirectResponse("/programmes", 303)

    @routes.post("/programmes/resume")
    async def resume(request: Request, _user: Manager) -> Response:
        """Release the brake."""
        scope, subject, _ = await _wanted(request, platform)
        async with db.begin() as tx:
            await release_brake(tx, scope, subject)
        return RedirectResponse("/programmes", 303)

    return routes


def _add_journey(routes: APIRouter, db: Database) -> None:
    @routes.get("/programmes/journey")
    async def show_journey(request: Request, _user: Viewer) -> Response:
        """The touchpoints of all running programmes along the customer's life."""
        async with db.read() as conn:
            editions = await programmes.current_editions(conn)
            groups = await programmes.groups(conn)
        running = [edition for edition in editions if edition.state is not ProgrammeState.ARCHIVED]
        stages = journey(running, {key: Group.model_validate(group) for key, group in groups.items()})
        return page(request, ENVIRONMENT, "journey.html", {"stages": stages})


async def _wanted(request: Request, platform: Platform) -> tuple[str, str, str]:
    """Scope, subject and note of a brake form."""
    fields = await text_fields(request)
    scope, subject, note = (
        fields.get(name, "").replace("\0", "").strip()[:500] for name in ("scope", "subject", "note")
    )
    if scope not in {"all", "programme", "account"}:
        raise Problem(422, "There is nothing to pause by that name.", field="scope")
    if scope == "account":
        async with platform.db.read() as conn:
            found = await find_account(conn, subject)
        if found is None:
            raise Problem(
                404,
                "No account is known by that.",
                what_to_do="Write its id or its whole name.",
                field="subject",
            )
        subject = str(found)
    return scope, "" if scope == "all" else subject, note
