"""`/settings`: who asks, in whose name, in which languages."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from services.trigger.domain.directory import is_zone, reach_of
from services.trigger.domain.lint import NO_REPLY
from services.trigger.domain.model import Organisation, Reach
from services.trigger.handlers.organisation import save_organisation
from services.trigger.pages.view import ENVIRONMENT
from services.trigger.store import merging, programmes
from shared.contracts.directory import Brand, Sender
from shared.runtime.service import Platform
from shared.security.access import User, require_role
from shared.web.forms import text_fields
from shared.web.problems import Problem
from shared.web.templates import page

Rep = Annotated[User, Depends(require_role("rep"))]
Admin = Annotated[User, Depends(require_role("admin"))]

MOST_PAIRS = 500
LANGUAGES = ("en", "es", "sv")


def router(platform: Platform) -> APIRouter:
    """The page and its form."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/settings")
    async def show(request: Request, user: Rep, *, saved: bool = False) -> Response:
        """The settings; a form for admins."""
        async with platform.db.read() as conn:
            found = await programmes.get_organisation(conn)
            suspected = len(await merging.suspicions(conn, MOST_PAIRS))
        if found is None:
            raise Problem(
                503, "The settings are being prepared.", what_to_do="Reload in a moment.", retry_after=2
            )
        return _page(request, user, _fields(found), {}, saved=saved, suspected=suspected)

    @routes.post("/settings")
    async def save(request: Request, admin: Admin) -> Response:
        """Write them."""
        fields = await text_fields(request)
        form = await request.form()
        fields["locales"] = " ".join(tag for tag in LANGUAGES if tag in form.getlist("locales"))
        errors = check(fields)
        if errors:
            return _page(request, admin, fields, errors)
        async with platform.db.begin() as tx:
            known = await programmes.get_organisation(tx.conn)
            if known is None:
                raise Problem(503, "The settings are being prepared.", retry_after=2)
            await save_organisation(tx, written(known, fields))
        return RedirectResponse("/settings?saved=true", 303)

    return routes


def check(fields: dict[str, str]) -> dict[str, str]:
    """What is wrong with a form, by field."""
    text = {name: value.strip() for name, value in fields.items()}
    public = text.get("public_url", "").startswith(("http://", "https://"))
    rules = {
        "name": (bool(text.get("name")), "Write the name that customers know."),
        "zone": (
            is_zone(text.get("zone", "")),
            "There is no such time zone; write for example Europe/Stockholm.",
        ),
        "locales": (bool(text.get("locales")), "Choose at least one language."),
        "sender_name": (bool(text.get("sender_name")), "Write the name of a person."),
        "public_url": (public, "It begins with https://."),
    }
    errors = {name: advice for name, (right, advice) in rules.items() if not right}
    return errors | _address_errors(text.get("sender_email", ""), text.get("reply_to", ""))


def _address_errors(sender: str, reply_to: str) -> dict[str, str]:
    errors: dict[str, str] = {}
    if reach_of(sender)[0] is not Reach.OK:
        errors["sender_email"] = "This is no e-mail address."
    elif any(word in sender.lower() for word in NO_REPLY):
        errors["sender_email"] = "Let a person sign who reads the replies."
    if reply_to and reach_of(reply_to)[0] is not Reach.OK:
        errors["reply_to"] = "This is no e-mail address."
    return errors


def written(known: Organisation, fields: dict[str, str]) -> Organisation:
    """The settings after a form that was checked."""
    text = {name: value.strip() for name, value in fields.items()}
    domains = text.get("own_domains", "").replace(",", " ").split()
    return replace(
        known,
        name=text["name"],
        zone=text["zone"],
        locales=tuple(text["locales"].split()),
        brand=Brand(
            name=text["name"],
            logo_url=known.brand.logo_url,
            colour=text.get("colour") or known.brand.colour,
            address=text.get("address", ""),
        ),
        sender=Sender(
            name=text["sender_name"], email=text["sender_email"], reply_to=text.get("reply_to", "")
        ),
        public_url=text["public_url"].rstrip("/"),
        own_domains=tuple(sorted({domain.lower().lstrip("@") for domain in domains})),
    )


def _fields(found: Organisation) -> dict[str, str]:
    return {
        "name": found.name,
        "zone": found.zone,
        "locales": " ".join(found.locales),
        "colour": found.brand.colour,
        "address": found.brand.address,
        "sender_name": found.sender.name,
        "sender_email": found.sender.email,
        "reply_to": found.sender.reply_to,
        "public_url": found.public_url,
        "own_domains": " ".join(found.own_domains),
    }


def _page(
    request: Request,
    user: User,
    fields: dict[str, str],
    errors: dict[str, str],
    *,
    saved: bool = False,
    suspected: int = 0,
) -> Response:
    context = {
        "suspected": suspected,
        "form": fields,
        "errors": errors,
        "saved": saved,
        "languages": LANGUAGES,
        "may": user.role.includes(type(user.role)("admin")),
    }
    return page(request, ENVIRONMENT, "organisation.html", context, status=422 if errors else 200)
