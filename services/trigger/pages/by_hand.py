"""`/directory/contacts/{id}/ask`: a rep asks somebody now; what would come of it is said before."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from services.trigger.domain.by_hand import AskedByHand
from services.trigger.domain.explain import foresight
from services.trigger.domain.model import Contact
from services.trigger.domain.programme import Edition
from services.trigger.handlers.asking import ask_by_hand
from services.trigger.handlers.preview import by_hand, preview
from services.trigger.pages.showing import names_of, reading_of
from services.trigger.pages.view import ENVIRONMENT
from services.trigger.store import directory
from shared.contracts.reasons import Outcome
from shared.db.database import Connection
from shared.runtime.ids import random_id
from shared.runtime.service import Platform
from shared.security.access import Principal, User, require_role
from shared.web.forms import text_fields
from shared.web.problems import Problem
from shared.web.templates import page

Rep = Annotated[User, Depends(require_role("rep"))]
NOW = frozenset({Outcome.REQUESTED})
LATER = frozenset({Outcome.DEFERRED, Outcome.PLANNED})


def router(platform: Platform) -> APIRouter:
    """The page that asks back, and the question itself."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/directory/contacts/{contact_id}/ask")
    async def confirm(request: Request, contact_id: UUID, user: Rep, programme: str = "") -> Response:
        """What would become of it, and the button."""
        async with platform.db.read() as conn:
            contact, edition = await _wanted(conn, contact_id, programme)
            found = await preview(conn, platform.sealer.blind, contact, edition, platform.clock.now())
            person = (await names_of(conn, platform, [contact]))[contact.id]
            reading = await reading_of(conn, [found], user.zone)
        tone = "ok" if found.outcome in NOW else "warn" if found.outcome in LATER else "danger"
        context = {
            "contact": contact,
            "person": person,
            "edition": edition,
            "words": foresight(found, reading),
            "tone": tone,
            "reference": str(random_id()),
            "section": "why",
        }
        return page(request, ENVIRONMENT, "ask.html", context)

    @routes.post("/directory/contacts/{contact_id}/ask")
    async def ask(request: Request, contact_id: UUID, user: Rep) -> Response:
        """Ask; the gate decides as about everybody. The same form sent twice asks once."""
        fields = await text_fields(request)
        reference = fields.get("reference", "").replace("\0", "")[:100]
        if not reference:
            raise Problem(422, "The form is not complete.", field="reference")
        async with platform.db.begin() as tx:
            contact, edition = await _wanted(tx.conn, contact_id, fields.get("programme", ""))
            person = (await names_of(tx.conn, platform, [contact]))[contact.id]
            asked = AskedByHand(id=contact.external_id, email=person.email, phone=person.phone)
            by = Principal.of_user(user).actor
            await ask_by_hand(tx, platform.sealer, edition.key, [asked], reference=reference, by=by)
        return RedirectResponse(f"/directory/contacts/{contact_id}?asked={edition.key}", 303)

    return routes


async def _wanted(conn: Connection, contact_id: UUID, programme: str) -> tuple[Contact, Edition]:
    contact = (await directory.get_contacts(conn, [contact_id])).get(contact_id)
    if contact is None or contact.merged_into:
        raise Problem(404, "Nobody is known under that id.", field="contact_id")
    if contact.erased_at:
        raise Problem(410, "This person's data were erased.", field="contact_id")
    edition = next((one for one in await by_hand(conn) if one.key == programme), None)
    if edition is None:
        raise Problem(
            404,
            "There is no such programme that is asked by hand.",
            what_to_do="See docs/programmes.md, on: manual.",
            field="programme",
        )
    return contact, edition
