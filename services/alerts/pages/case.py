"""The page of a case: who, what they said, how to reach them, and the next step."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.alerts.domain.causes import Needs
from services.alerts.domain.model import Refused, Ticket
from services.alerts.handlers.actions import VIA, Action, NoSuchTicketError, Wish, act
from services.alerts.handlers.applying import Desk
from services.alerts.pages import views as page_views
from services.alerts.pages.house import House, Rep
from services.alerts.store import cases, rota
from shared.db.database import Connection
from shared.runtime.clock import Clock
from shared.runtime.failpoints import failpoint
from shared.security.access import User
from shared.web.forms import text_fields
from shared.web.problems import Problem
from shared.web.templates import page

DONE = {
    "acknowledge": "The case is yours. Call now, then log the contact.",
    "contacted": "Logged. The 24-hour clock has stopped.",
    "attempt": "Logged. The clock keeps running until somebody speaks with them.",
    "note": "Noted.",
    "assign": "Given. The new owner is told.",
    "resolve": "Resolved. Well done.",
    "accept": "Closed.",
    "reopen": "The case is open again; its clocks have started anew.",
}


def add(routes: APIRouter, house: House) -> None:
    """Add the case's routes."""

    @routes.get("/tickets/{ticket_id}")
    async def case(request: Request, ticket_id: UUID, _me: Rep, done: str = "") -> Response:
        """One case."""
        async with house.db.read() as conn:
            context = await _case(house.desk, conn, ticket_id, house.clock)
        return page(request, house.env, "case.html", {**context, "done": DONE.get(done, "")}, locale="en")

    @routes.post("/tickets/{ticket_id}/{action}")
    async def do(request: Request, ticket_id: UUID, action: Action, me: Rep) -> Response:
        """Do something with a case."""
        fields = await text_fields(request)
        try:
            async with house.db.begin() as tx:
                result = await act(house.desk, tx, ticket_id, _wish(action, me, fields))
        except NoSuchTicketError:
            raise _unknown() from None
        failpoint("alerts.acted_before_answer")
        if not isinstance(result, Refused):
            return RedirectResponse(f"/tickets/{ticket_id}?done={action.value}", 303)
        async with house.db.read() as conn:
            context = await _case(house.desk, conn, ticket_id, house.clock)
        typed = {"refused": result.why, "note": fields.get("note", ""), "tried": action.value}
        return page(request, house.env, "case.html", {**context, **typed}, status=409, locale="en")


async def _case(desk: Desk, conn: Connection, ticket_id: UUID, clock: Clock) -> dict[str, Any]:
    now = clock.now()
    ticket = await cases.ticket(conn, ticket_id)
    if ticket is None:
        raise _unknown()
    staff = await rota.staff(conn, now, desk.leadership)
    return {
        "case": await page_views.case_page(desk, conn, ticket, staff, now),
        "section": "inbox",
        "now": now,
        "via": VIA,
        "causes": [(cause.key, cause.label) for cause in desk.causes if _allowed(cause.needs, ticket)],
        "done": "",
        "refused": "",
        "note": "",
        "tried": "",
    }


def _allowed(needs: Needs, ticket: Ticket) -> bool:
    return needs is not Needs.CONTACT or ticket.run.contacted_at is not None


def _wish(action: Action, me: User, fields: dict[str, str]) -> Wish:
    version, to = fields.get("version", ""), fields.get("to", "")
    return Wish(
        action=action,
        by=me.id,
        seen=int(version) if version.isdigit() and len(version) < 10 else None,  # noqa: PLR2004 - an int4
        note=fields.get("note", ""),
        via=fields.get("via", ""),
        contact=fields.get("contact", ""),
        cause=fields.get("cause", ""),
        to=_uuid(to),
        again=bool(fields.get("again")),
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _unknown() -> Problem:
    return Problem(404, "There is no such case.", what_to_do="Go back to the inbox.")
