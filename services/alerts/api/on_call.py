"""`/v1/rota`: who is on call for which team, now, next and in the weeks ahead, and where nobody is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.alerts.domain.outlook import WEEKS, outlook
from services.alerts.domain.rota import Shift
from services.alerts.handlers.applying import Desk
from services.alerts.store import rota, warnings
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


class WarningOut(BaseModel):
    """A mail that warns of a gap, and what became of it."""

    team: str
    user_id: UUID = Field(description="who is to know of it")
    starts_at: datetime
    ends_at: datetime
    why: str
    warned_at: datetime
    state: Literal["pending", "sent", "failed"]
    attempts: int
    detail: str = Field(description="why the last attempt failed")


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

    @routes.get("/warnings", dependencies=[Depends(require_scope(Scope.TICKETS_READ))])
    async def list_warnings(
        state: Literal["pending", "sent", "failed", ""] = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> list[WarningOut]:
        """Who was warned of gaps that are not over yet, and who could not be: the next gap first."""
        async with db.read() as conn:
            found = await warnings.listed(conn, clock.now(), state=state, limit=limit)
        return [
            WarningOut(
                team=one.warned.team,
                user_id=one.warned.recipient,
                starts_at=one.warned.starts_at,
                ends_at=one.warned.ends_at,
                why=one.warned.why,
                warned_at=one.warned_at,
                state=one.state,
                attempts=one.warned.attempts,
                detail=one.detail,
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
