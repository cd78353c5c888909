"""Checking off the steps of a case's playbook on its page (R91)."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.alerts.domain.model import Refused
from services.alerts.domain.playbooks import StepState
from services.alerts.handlers import checking
from services.alerts.handlers.actions import NoSuchTicketError
from services.alerts.pages.house import House, Rep
from shared.web.forms import text_fields
from shared.web.problems import Problem


def add(routes: APIRouter, house: House) -> None:
    """Add the route."""

    @routes.post("/tickets/{ticket_id}/steps/{key}")
    async def check(request: Request, ticket_id: UUID, key: str, me: Rep) -> Response:
        """Check off a step, or take that back."""
        state = (await text_fields(request)).get("state", "")
        if state not in set(StepState):
            raise Problem(422, "There is no such state.", what_to_do="Go back to the case.", field="state")
        try:
            async with house.db.begin() as tx:
                done = await checking.check(house.desk, tx, ticket_id, key, StepState(state), me.id)
        except NoSuchTicketError:
            raise Problem(404, "There is no such case.", what_to_do="Go back to the inbox.") from None
        if isinstance(done, Refused):
            raise Problem(409, done.why, what_to_do="Go back to the case.")
        return RedirectResponse(f"/tickets/{ticket_id}?done=step#playbook", 303)
