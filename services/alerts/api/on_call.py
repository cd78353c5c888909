"""`/v1/rota`: who is on call for which team, now, next and in the weeks ahead, and where nobody is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.alerts.domain.outlook import WEEKS, outlook
from services.alerts.domain.rota import Shift
from services.alerts.handlers.applying import Desk
from services.alerts.store import rota
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.security.access import Scope, require_scope

MAX_WEEKS = 26


class ShiftOut(BaseModel):
    """Somebody's stretch on call; `instead`: they stand in for whose turn it is."""

    user_id: UUID
    starts_at: datetime
    ends_at: datetime
    layer: str = Field(description="the layer whose turn it is; empty for a stand-in")
    instead: bool


class GapOut(BaseModel):
    """A stretch in which nobody is on call, and why."""

    starts_at: datetime
    ends_at: datetime
    why: str


class TeamOut(BaseModel):
    """A team's rota; the rota that everybody shares has an empty key."""

    key: str
    name: str
    zone: str
    now: ShiftOut | None
    next: ShiftOut | None
    shifts: list[ShiftOut]
    gaps: list[GapOut]
    strangers: int = Field(description="people of its rota who are no active user that works on cases")


def router(desk: Desk, db: Database, clock: Clock) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/rota", tags=["rota"])

    @routes.get("", dependencies=[Depends(require_scope(Scope.TICKETS_READ))])
    async def look_ahead(weeks: Annotated[int, Query(ge=1, le=MAX_WEEKS)] = WEEKS) -> list[TeamOut]:
        """Who is on call for each team, for so many weeks."""
        now = clock.now()
        async with db.read() as conn:
            staff = await rota.staff(conn, now, desk.leadership, desk.roster)
        found = [outlook(team, staff, now, weeks) for team in staff.teams]
        return [
            TeamOut(
                key=one.team.key,
                name=one.team.name,
                zone=one.team.zone,
                now=_shift(one.now),
                next=_shift(one.following),
                shifts=[ShiftOut.model_validate(_plain(shift)) for shift in one.shifts],
                gaps=[GapOut(starts_at=gap.starts_at, ends_at=gap.ends_at, why=gap.why) for gap in one.gaps],
                strangers=len(one.team.strangers),
            )
            for one in found
        ]

    return routes


def _shift(shift: Shift | None) -> ShiftOut | None:
    return ShiftOut.model_validate(_plain(shift)) if shift else None


def _plain(shift: Shift) -> dict[str, object]:
    return {
        "user_id": shift.user_id,
        "starts_at": shift.starts_at,
        "ends_at": shift.ends_at,
        "layer": shift.layer,
        "instead": shift.override,
    }
