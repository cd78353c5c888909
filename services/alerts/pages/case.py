"""The page of a case: who, what they said, how to reach them, and the next step."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.alerts.domain.causes import Needs
from services.alerts.domain.model import Refused, Ticket
from services.alerts.domain.undoing import possible
from services.alerts.handlers import checking
from services.alerts.handlers.actions import VIA, Action, NoSuchTicketError, Wish, act
from services.alerts.pages import views as page_views
from services.alerts.pages.house import House, Rep, followed, uuid_in
from services.alerts.pages.timeline import UNDONE
from services.alerts.store import cases, directory, improvements, rota
from shared.db.database import Connection
from shared.db.notify import place_now
from shared.runtime.failpoints import failpoint
from shared.security.access import User
from shared.web.dates import zone_of
from shared.web.forms import text_fields
from shared.web.problems import Problem
from shared.web.security_headers import allow_script
from shared.web.templates import page

MORNING = time(9)
DONE = {
    "acknowledge": "The case is yours. Call now, then log the contact.",
    "contacted": "Logged. The 24-hour clock has stopped.",
    "attempt": "Logged. The clock keeps running until somebody speaks with them.",
    "note": "Noted.",
    "assign": "Given. The new owner is told.",
    "resolve": "Resolved. Well done.",
    "accept": "Closed.",
    "reopen": "The case is open again; its clocks have started anew.",
    "plan": "Written down. You are told when the day has come.",
    "confirm": "Mended, says the customer. Well done.",
    "deny": "The case is open again, and the managers are told.",
    "link": "The document stands beside the case.",
    "watch": "You are told of what becomes of it.",
    "unwatch": "You are no longer told.",
    "undo": "Taken back.",
    "step": "Written down.",
}


def add(routes: APIRouter, house: House) -> None:
    """Add the case's routes."""

    @routes.get("/tickets/{ticket_id}")
    async def case(request: Request, ticket_id: UUID, me: Rep, done: str = "") -> Response:
        """One case."""
        async with house.db.read() as conn:
            context = await _case(house, conn, ticket_id, me)
        context["done"] = DONE.get(done, "")
        return allow_script(page(request, house.env, "case.html", context, locale="en"))

    @routes.post("/tickets/{ticket_id}/{action}")
    async def do(request: Request, ticket_id: UUID, action: Action, me: Rep) -> Response:
        """Do something with a case."""
        fields = await text_fields(request)
        try:
            async with house.db.begin() as tx:
                wish = _wish(action, me, fields, (await directory.organisation(tx.conn)).zone)
                result = await act(house.desk, tx, ticket_id, wish)
        except NoSuchTicketError:
            raise _unknown() from None
        failpoint("alerts.acted_before_answer")
        if not isinstance(result, Refused):
            return RedirectResponse(f"/tickets/{ticket_id}?done={action.value}", 303)
        async with house.db.read() as conn:
            context = await _case(house, conn, ticket_id, me)
        typed = {
            "refused": result.why,
            "note": fields.get("note", fields.get("url", "")),
            "tried": action.value,
            "live": None,  # what they typed stands in the page as if it came from us
        }
        return page(request, house.env, "case.html", {**context, **typed}, status=409, locale="en")


async def _case(house: House, conn: Connection, ticket_id: UUID, me: User) -> dict[str, Any]:
    place = await place_now(conn)
    now, desk = house.clock.now(), house.desk
    ticket = await cases.ticket(conn, ticket_id)
    if ticket is None:
        raise _unknown()
    staff = await rota.staff(conn, now, desk.leadership, desk.roster)
    return {
        "case": await page_views.case_page(desk, conn, ticket, staff, now),
        "steps": await checking.steps(desk, conn, ticket),
        **await _improvements(conn, ticket.id),
        "live": followed(place, clocks=ticket.is_open),
        "section": "inbox",
        "now": now,
        "via": VIA,
        "causes": [(cause.key, cause.label) for cause in desk.causes if _allowed(cause.needs, ticket)],
        "undo_words": UNDONE,
        "undo": possible(ticket, me.id, now),
        "watching": me.id in ticket.watchers,
        "zone": (await directory.organisation(conn)).zone,
        "done": "",
        "refused": "",
        "note": "",
        "tried": "",
    }


async def _improvements(conn: Connection, ticket_id: UUID) -> dict[str, Any]:
    """What the case has led to, and what else it may be linked to."""
    mine = await improvements.of_ticket(conn, ticket_id)
    known = {one.id for one in mine}
    others = [one for one in await improvements.waiting(conn) if one.id not in known]
    others.sort(key=lambda one: one.plan.title.casefold())
    return {"improvements": mine, "on_road_map": [(str(one.id), one.plan.title) for one in others]}


def _allowed(needs: Needs, ticket: Ticket) -> bool:
    return needs is not Needs.CONTACT or ticket.run.contacted_at is not None


def _wish(action: Action, me: User, fields: dict[str, str], zone: str) -> Wish:
    version, to = fields.get("version", ""), fields.get("to", "")
    return Wish(
        action=action,
        by=me.id,
        seen=int(version) if version.isdigit() and len(version) < 10 else None,  # noqa: PLR2004 - an int4
        note=fields.get("url" if action is Action.LINK else "note", ""),
        via=fields.get("via", ""),
        contact=fields.get("contact", ""),
        cause=fields.get("cause", ""),
        to=uuid_in(to),
        again=bool(fields.get("again")),
        lesson=fields.get("lesson", ""),
        follow_up_at=_morning(fields.get("follow_up", ""), zone),
    )


def _morning(text: str, zone: str) -> datetime | None:
    """Nine in the morning of a day, where the organisation is; None for no day."""
    try:
        return datetime.combine(date.fromisoformat(text), MORNING, zone_of(zone)).astimezone(UTC)
    except ValueError:
        return None


def _unknown() -> Problem:
    return Problem(404, "There is no such case.", what_to_do="Go back to the inbox.")
