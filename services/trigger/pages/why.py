"""`/why`: type who or what, read what was decided and why."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.trigger.domain.explain import sentence
from services.trigger.domain.model import Contact
from services.trigger.handlers import people
from services.trigger.pages.view import ENVIRONMENT
from services.trigger.store import directory, ledger, parked, programmes
from shared.contracts.model import Person
from shared.contracts.reasons import Outcome
from shared.db.database import Connection
from shared.runtime.service import Platform
from shared.security.access import User, require_role
from shared.web.templates import page

Rep = Annotated[User, Depends(require_role("rep"))]

SHOWN = 200
TONES = {
    Outcome.PLANNED: "neutral",
    Outcome.REQUESTED: "ok",
    Outcome.DEFERRED: "warn",
    Outcome.SUPPRESSED: "danger",
    Outcome.CANCELLED: "danger",
    Outcome.NOT_MATCHED: "neutral",
    Outcome.SHADOW: "neutral",
}


def router(platform: Platform) -> APIRouter:
    """The page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/why")
    async def why(request: Request, _rep: Rep, q: str = "") -> Response:
        """A contact, an account, a programme or an event, whichever is known by what was typed."""
        wanted = q.replace("\0", "").strip()[:320]
        context: dict[str, object] = {"q": wanted, "entries": [], "found": "", "who": None, "href": ""}
        if wanted:
            async with platform.db.read() as conn:
                context |= await _found(conn, platform, wanted)
        return page(request, ENVIRONMENT, "why.html", context)

    return routes


async def _found(conn: Connection, platform: Platform, wanted: str) -> dict[str, object]:
    contact_id = await people.find_contact(conn, platform.sealer, wanted)
    account_id = None if contact_id else await people.find_account(conn, wanted)
    programme = None if contact_id or account_id else await programmes.definition_of(conn, wanted)
    event = None if contact_id or account_id or programme else wanted
    question = ledger.Question(
        await people.all_ids(conn, contact_id),
        account_id,
        event,
        wanted if programme else None,
        limit=SHOWN,
    )
    entries = await ledger.read(conn, question)
    if not entries:
        entries = await _of_parked(conn, platform, wanted)
    if contact_id:
        known = await directory.get_contacts(conn, [contact_id])
        who = await _name(conn, platform, known[contact_id]) if contact_id in known else ""
        found = "contact"
    elif account_id:
        who, found = (await directory.get_accounts(conn, [account_id]))[account_id].name, "account"
    elif programme:
        who, found = wanted, "programme"
    else:
        who, found = wanted, "event" if entries else ""
    shown = [
        {
            "at": e.at,
            "text": sentence(e.decision),
            "outcome": e.decision.outcome,
            "tone": TONES[e.decision.outcome],
            "event": e.event_id,
        }
        for e in entries
    ]
    kinds = {"contact": f"/directory/contacts/{contact_id}", "account": f"/directory/accounts/{account_id}"}
    return {"entries": shown, "found": found, "who": who, "href": kinds.get(found, "")}


async def _of_parked(conn: Connection, platform: Platform, wanted: str) -> list[ledger.Entry]:
    """Decisions about events that give an id by which nobody is known yet."""
    events = await parked.events_of(conn, platform.sealer.blind("contact-id", wanted))
    found = [await ledger.read(conn, ledger.Question(event_id=event)) for event in events]
    return sorted((entry for entries in found for entry in entries), key=lambda entry: -entry.id)[:SHOWN]


async def _name(conn: Connection, platform: Platform, contact: Contact) -> str:
    if contact.erased_at:
        return ""
    (person,) = await platform.sealer.open(conn, [(contact.id, contact.person)], Person)
    return (person.name or person.email) if person else ""
