"""`/why`: type who or what, read what was decided and why; `/why/left-out`: what led to nothing at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.trigger.domain.explain import sentence
from services.trigger.domain.model import Decision
from services.trigger.handlers.looking_up import Answer, Found, look_up
from services.trigger.pages.showing import names_of, operators_of, people_of, reading_of
from services.trigger.pages.view import ENVIRONMENT
from services.trigger.store import directory, ledger, parked, refused
from shared.contracts.model import Person
from shared.contracts.reasons import Outcome
from shared.db.database import Connection
from shared.runtime.service import Platform
from shared.security.access import User, require_role
from shared.values import altered
from shared.web.templates import page

Rep = Annotated[User, Depends(require_role("rep"))]

SHOWN = 200
LEFT_OUT = 50
BY = ("by_whom", "by_hand_of")
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
    """The pages."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/why")
    async def why(request: Request, rep: Rep, q: str = "", source: str = "") -> Response:
        """A contact, an account, a programme or an event, whichever is known by what was typed."""
        wanted, sender = _plain(q), _plain(source)
        context: dict[str, object] = {
            "q": wanted,
            "source": sender,
            "entries": [],
            "found": "",
            "events": [],
            "letters": [],
            "who": None,
            "href": "",
            "erased": False,
        }
        if wanted:
            async with platform.db.read() as conn:
                answer = await look_up(conn, platform.sealer, wanted, source=sender, limit=SHOWN)
                context |= await _shown(conn, platform, wanted, answer, rep.zone)
        return page(request, ENVIRONMENT, "why.html", context)

    @routes.get("/why/left-out")
    async def left_out(request: Request, _rep: Rep, source: str = "") -> Response:
        """What was refused, came twice in two versions, was put aside, or waits for somebody."""
        sender = _plain(source)
        async with platform.db.read() as conn:
            context = {
                "source": sender,
                "refused": await refused.listed(conn, LEFT_OUT, sender),
                "conflicts": await refused.conflicts(conn, LEFT_OUT, sender),
                "letters": await refused.letters(conn, LEFT_OUT, source=sender),
                "parked": await parked.listed(conn, "waiting", LEFT_OUT, sender),
                "section": "why",
            }
        return page(request, ENVIRONMENT, "left_out.html", context)

    return routes


def _plain(text: str) -> str:
    return text.replace("\0", "").strip()[:320]


async def _shown(
    conn: Connection, platform: Platform, wanted: str, answer: Answer, zone: str
) -> dict[str, object]:
    entries, found = answer.entries, answer.found
    erased, who = False, wanted
    if contact_id := answer.contact_id:
        known = await directory.get_contacts(conn, [contact_id])
        person = (await names_of(conn, platform, known.values())).get(contact_id, Person())
        who = person.name or person.email
        erased = contact_id in known and known[contact_id].erased_at is not None
    elif account_id := answer.account_id:
        who = (await directory.get_accounts(conn, [account_id]))[account_id].name
    named = {entry.decision.contact_id for entry in entries if entry.decision.contact_id}
    names = await people_of(conn, platform, named) if found is not Found.CONTACT else {}
    reading = await reading_of(conn, [entry.decision for entry in entries], zone)
    operators = await _operators(platform, entries)
    shown = [
        {
            "at": e.at,
            "text": sentence(_signed(e.decision, operators), reading),
            "outcome": e.decision.outcome,
            "tone": TONES[e.decision.outcome],
            "event": e.event_id,
            "sender": answer.sources.get(e.event_id, ""),
            "touchpoint": e.decision.inputs.get("touchpoint", ""),
            "programme": e.decision.programme,
            "contact": names.get(e.decision.contact_id) if e.decision.contact_id else None,
        }
        for e in entries
    ]
    if found is Found.PROGRAMME:
        who = reading.titles.get(wanted) or wanted
    kinds = {
        Found.CONTACT: f"/directory/contacts/{answer.contact_id}",
        Found.ACCOUNT: f"/directory/accounts/{answer.account_id}",
    }
    return {
        "entries": shown,
        "found": found,
        "events": answer.trace.events,
        "letters": answer.trace.letters,
        "who": who,
        "href": kinds.get(found, ""),
        "erased": erased,
    }


async def _operators(platform: Platform, entries: Sequence[ledger.Entry]) -> dict[str, str]:
    """Names of those who merged somebody or sent a test; the ledger itself knows ids alone."""
    said = (entry.decision.inputs.get(by, "") for entry in entries for by in BY)
    return await operators_of(platform, map(str, said))


def _signed(decision: Decision, operators: Mapping[str, str]) -> Decision:
    said = {by: str(decision.inputs[by]) for by in BY if by in decision.inputs}
    named = {by: operators[actor] for by, actor in said.items() if actor in operators}
    return altered(decision, inputs={**decision.inputs, **named}) if named else decision
