"""`/v1/tickets/findings`: mails that tell managers what the answers of many show, and what became of each."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.alerts.store import findings
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.security.access import Scope, require_scope

DAYS = 90


class FindingOut(BaseModel):
    """What a mail tells."""

    subject: str
    told: str = Field(description="the numbers")
    link: str = Field(description="where it is shown, without the address of the house")


class FindingMailOut(BaseModel):
    """A mail that tells of findings, and what became of it."""

    id: UUID
    user_id: UUID = Field(description="who is to know of it")
    planned_at: datetime
    state: Literal["pending", "sent", "failed"]
    attempts: int
    detail: str = Field(description="why the last attempt failed")
    findings: list[FindingOut]


def router(db: Database, clock: Clock) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/tickets/findings", tags=["tickets"])

    @routes.get("", dependencies=[Depends(require_scope(Scope.TICKETS_READ))])
    async def list_mails(
        state: Literal["pending", "sent", "failed", ""] = "",
        days: Annotated[int, Query(ge=1, le=3660)] = DAYS,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> list[FindingMailOut]:
        """Who was told of scores that fell and themes that rise, who could not be: the last ones first."""
        async with db.read() as conn:
            since = clock.now() - timedelta(days=days)
            found = await findings.listed(conn, since, state=state, limit=limit)
        return [
            FindingMailOut(
                id=one.mail.id,
                user_id=one.mail.recipient,
                planned_at=one.planned_at,
                state=one.state,
                attempts=one.mail.attempts,
                detail=one.detail if one.state != "sent" else "",
                findings=[FindingOut(subject=f.subject, told=f.told, link=f.link) for f in one.mail.findings],
            )
            for one in found
        ]

    return routes
