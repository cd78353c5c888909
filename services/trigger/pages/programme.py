"""`/programmes/{key}`: one programme: plans by edition, and what shadow came to."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from services.trigger.domain.directory import reach_of
from services.trigger.domain.explain import because
from services.trigger.domain.groups import Group
from services.trigger.domain.in_words import rows_of
from services.trigger.domain.model import Contact, Reach
from services.trigger.domain.programme import edition_of
from services.trigger.domain.trials import Trial
from services.trigger.handlers.replanning import editions_waiting
from services.trigger.handlers.trials import NoTrialError, send_trial
from services.trigger.pages.view import ENVIRONMENT
from services.trigger.store import directory, programmes, shadow
from shared.contracts.model import Person
from shared.contracts.programmes import ProgrammeState
from shared.contracts.reasons import Reason
from shared.db.database import Connection
from shared.runtime.ids import random_id
from shared.runtime.service import Platform
from shared.security.access import Principal, User, require_role
from shared.web.forms import text_fields
from shared.web.paths import Key
from shared.web.problems import Problem
from shared.web.templates import page

Manager = Annotated[User, Depends(require_role("manager"))]
Viewer = Annotated[User, Depends(require_role("viewer"))]

WEEK = timedelta(days=7)
SHOWN = 50
"""People of a rehearsal that are named."""


def router(platform: Platform) -> APIRouter:
    """The page."""
    routes = APIRouter(include_in_schema=False)

    @routes.post("/programmes/{key}/test")
    async def test(request: Request, key: Key, user: Manager) -> Response:
        """Send a test to an address."""
        fields = await text_fields(request)
        to, locale = fields.get("to", "").strip()[:320], fields.get("locale", "").strip()[:35]
        if reach_of(to)[0] is not Reach.OK:
            raise Problem(422, "This is not one e-mail address.", field="to")
        trial = Trial(email=to, name=user.name, locale=locale or "en", reference=str(random_id()))
        try:
            async with platform.db.begin() as tx:
                await send_trial(
                    tx, platform.sealer, platform.tokens, key, trial, by=Principal.of_user(user).actor
                )
        except NoTrialError as error:
            raise Problem(409, f"{error}.", what_to_do="See the page Programmes.", field="key") from error
        return RedirectResponse(f"/programmes/{quote(key)}?sent={quote(to)}", 303)

    @routes.get("/programmes/{key}")
    async def show(request: Request, key: Key, user: Viewer) -> Response:
        """A programme as it stands, with what waits of each edition."""
        now = platform.clock.now()
        async with platform.db.read() as conn:
            editions = await editions_waiting(conn, key)
            standing = next((one for one in await programmes.standings(conn) if one.key == key), None)
            if standing is None:
                raise Problem(404, "There is no such programme.", what_to_do="See the page Programmes.")
            definition = await programmes.definition_of(conn, key) or {}
            context = {
                "one": standing,
                "title": definition.get("title", {}),
                "purpose": definition.get("purpose", {}),
                "rows": await _in_words(conn, definition),
                "editions": editions,
                "rehearsal": None,
                "sent": request.query_params.get("sent", "")[:320],
                "my_address": user.email,
                "locales": [(tag, tag) for tag in definition.get("title", {})],
                "may": user.role.includes(type(user.role)("manager")),
            }
            if standing.state is ProgrammeState.SHADOW:
                found = await shadow.rehearsals(conn, [key], now - WEEK, now)
                context["rehearsal"] = found[key]
                context["left_out"] = [(because(Reason(r)), n) for r, n in found[key].left_out.items()]
                context["waits"] = [
                    (because(Reason(r)) if r else "", n) for r, n in found[key].waiting.items()
                ]
                context["who"] = await _who(conn, platform, key)
        return page(request, ENVIRONMENT, "programme.html", context)

    return routes


async def _in_words(conn: Connection, definition: dict[str, Any]) -> list[tuple[str, str]]:
    """What it does, of the newest edition."""
    rules = edition_of(definition).programme
    group = (await programmes.groups(conn)).get(rules.group)
    known = Group.model_validate(group) if group else None
    return rows_of(rules, known, definition.get("variants", ()))


async def _who(conn: Connection, platform: Platform, key: str) -> list[dict[str, object]]:
    """Those whom it would have asked last week, by name."""
    found = await shadow.who(conn, key, platform.clock.now() - WEEK, SHOWN)
    contacts = await directory.get_contacts(conn, {contact for contact, _, _ in found})
    accounts = await directory.get_accounts(conn, {account for _, account, _ in found if account})
    names = await _names(conn, platform, list(contacts.values()))
    return [
        {
            "at": at,
            "name": names.get(contact, ""),
            "account": accounts[account].name if account in accounts else "",
        }
        for contact, account, at in found
    ]


async def _names(conn: Connection, platform: Platform, contacts: list[Contact]) -> dict[object, str]:
    people = await platform.sealer.open(conn, [(c.id, c.person) for c in contacts], Person)
    return {
        contact.id: (person.name or person.email) if person else ""
        for contact, person in zip(contacts, people, strict=True)
    }
