"""`/v1/tickets/stream`: tickets as they change."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, Field

from services.alerts.store.following import FEED, standing
from shared.contracts.tickets import TicketState
from shared.db.database import Connection, Database
from shared.db.notify import place_now
from shared.runtime.feed import Change, Feed, News
from shared.security.access import Scope
from shared.web.streams import Events, EventSourceResponse, described, watching

CHANGED = "ticket.changed"


class TicketStanding(BaseModel):
    """How a ticket stands."""

    id: UUID
    version: int
    state: TicketState
    account_id: UUID | None
    programme: str
    owner: UUID | None
    opened_at: AwareDatetime
    contact_due_at: AwareDatetime
    breaches_at: AwareDatetime = Field(description="its next deadline")
    ended_at: AwareDatetime | None
    level: int = Field(description="who was told that it is late: 0 nobody, 3 leadership")


def router(db: Database) -> APIRouter:
    """The route of the stream."""
    routes = APIRouter(prefix="/v1/tickets", tags=["tickets"])
    opened = Depends(watching(Feed(FEED, db, _read), Scope.TICKETS_READ))

    @routes.get(
        "/stream",
        response_class=EventSourceResponse,
        responses={429: {}},
        openapi_extra=described(CHANGED, TicketStanding),
    )
    async def stream(events: Events = opened) -> Events:
        """Tickets as Server-Sent Events `ticket.changed`: first the open ones, then each that changes."""
        async for event in events:
            yield event

    return routes


async def _read(conn: Connection, place: str) -> News:
    # The place comes first: what commits in between is told twice rather than never.
    now = await place_now(conn)
    found = [TicketStanding(**asdict(one)) for one in await standing(conn, place)]
    return News([Change(str(one.id), CHANGED, one.model_dump_json()) for one in found], now)
