"""Steps of a case's playbook for programs, and how often offers are taken (R91)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from services.alerts.api.acting import actor, must_work
from services.alerts.domain.model import Refused
from services.alerts.domain.playbooks import StepState
from services.alerts.handlers import checking
from services.alerts.handlers.actions import NoSuchTicketError
from services.alerts.handlers.applying import Desk
from services.alerts.handlers.checking import Listed
from services.alerts.store import playbooks
from shared.db.database import Database
from shared.security.access import Principal, Scope, require_scope
from shared.web.paths import PLAIN
from shared.web.problems import Problem

Reader = Annotated[Principal, Depends(require_scope(Scope.TICKETS_READ))]
Step = Annotated[str, Path(min_length=1, max_length=40, pattern=PLAIN)]
Writer = Annotated[Principal, Depends(require_scope(Scope.TICKETS_WRITE))]


class Checking(BaseModel):
    """How far a step is: offers are `taken` or `refused`, other steps `done`; `open` takes it back."""

    state: StepState
    user_id: UUID | None = Field(
        default=None, description="in whose name; needed with an API key, which is no person"
    )


class OfferedOut(BaseModel):
    """How often an offer was made, and how often it was taken."""

    offer: str
    made: int
    taken: int


def router(desk: Desk, db: Database) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/tickets", tags=["tickets"])

    @routes.get("/offers")
    async def offers(_who: Reader) -> list[OfferedOut]:
        """How often each kind of offer was made to unhappy customers, and how often it was taken."""
        async with db.read() as conn:
            found = await playbooks.offered(conn)
        return [OfferedOut(offer=one.offer, made=one.made, taken=one.taken) for one in found]

    @routes.put("/{ticket_id}/steps/{step}")
    async def check(ticket_id: UUID, step: Step, who: Writer, checking_: Checking) -> list[dict[str, Any]]:
        """Check off a step of the case's playbook; gives all of its steps. Repeated safely."""
        by = actor(who, checking_.user_id)
        try:
            async with db.begin() as tx:
                await must_work(tx, by)
                found = await checking.check(desk, tx, ticket_id, step, checking_.state, by)
        except NoSuchTicketError:
            raise Problem(
                404, "There is no such ticket.", what_to_do="Look in the list: GET /v1/tickets."
            ) from None
        if isinstance(found, Refused):
            raise Problem(409, found.why, what_to_do=f"Look at GET /v1/tickets/{ticket_id}.")
        return [step_out(one) for one in found]

    return routes


def step_out(one: Listed) -> dict[str, Any]:
    """A step as programs see it."""
    return {
        "key": one.step.key,
        "text": one.step.text,
        "offer": one.step.offer.value if one.step.offer else None,
        "state": one.state.value,
        "at": one.checked.at if one.checked else None,
        "by": one.checked.by if one.checked else None,
    }
