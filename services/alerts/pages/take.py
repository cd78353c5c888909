"""The page that a notice leads to: one case, one button, no sign-in. Looking at it takes nothing.

Mail scanners open every link and some press buttons: a GET changes nothing, and a POST needs the cookie and
the field that this page gave to the same browser.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.alerts.domain.model import Refused, Ticket
from services.alerts.domain.routing import Member
from services.alerts.handlers.actions import Action, NoSuchTicketError, Wish, act
from services.alerts.handlers.taking import invitation
from services.alerts.pages import views as page_views
from services.alerts.pages.house import House
from services.alerts.pages.views import CasePage
from services.alerts.store import cases, rota
from shared.contracts.tickets import TicketState
from shared.db.database import Connection
from shared.web.forms import checked_form, form_token, keep_form_token
from shared.web.problems import Problem
from shared.web.templates import page

_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def add(routes: APIRouter, house: House) -> None:
    """Add the routes of the page."""

    @routes.get("/tickets/take/{token}")
    async def look(request: Request, token: str) -> Response:
        """Who is unhappy, and the button."""
        async with house.db.read() as conn:
            _, ticket, shown = await _invited(house, conn, token)
        return _page(request, house, shown, {"taken": "", "open": ticket.state is TicketState.OPEN})

    @routes.post("/tickets/take/{token}")
    async def take(request: Request, token: str) -> Response:
        """Take the case."""
        await checked_form(request)
        async with house.db.read() as conn:
            member, ticket, _ = await _invited(house, conn, token)
        try:
            async with house.db.begin() as tx:
                done = await act(house.desk, tx, ticket.id, Wish(Action.ACKNOWLEDGE, member.user_id))
        except NoSuchTicketError:
            raise _dead() from None
        why = done.why if isinstance(done, Refused) else ""
        async with house.db.read() as conn:
            _, ticket, shown = await _invited(house, conn, token)
        state = {"taken": "" if why else member.name, "refused": why, "open": False}
        return _page(request, house, shown, state, 409 if why else 200)


async def _invited(house: House, conn: Connection, token: str) -> tuple[Member, Ticket, CasePage]:
    desk, now = house.desk, house.clock.now()
    found = invitation(desk.tokens, token) if desk.tokens is not None else None
    ticket = await cases.ticket(conn, found.ticket_id) if found and now < found.until else None
    staff = await rota.staff(conn, now, desk.leadership, desk.roster)
    member = staff.by_id(found.user_id) if found and found.user_id in staff.workers else None
    if member is None or ticket is None:
        raise _dead()
    return member, ticket, await page_views.case_page(desk, conn, ticket, staff, now)


def _page(
    request: Request, house: House, case: CasePage, state: dict[str, Any], status: int = 200
) -> Response:
    token = form_token(request)
    context = {"case": case, "form": token, "refused": "", **state}
    answer = page(request, house.env, "take.html", context, status=status, locale="en")
    answer.headers.update(_PRIVATE)
    keep_form_token(request, answer, token)
    return answer


def _dead() -> Problem:
    return Problem(404, "This link does not work any more.", what_to_do="Sign in and look in the inbox.")
