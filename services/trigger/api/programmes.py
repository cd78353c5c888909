"""`/v1/programmes/{key}/plans` and `/rehearsal`: what waits by edition, and what shadow came to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.trigger.store import plans, programmes, shadow
from shared.db.database import Connection
from shared.runtime.service import Platform
from shared.security.access import Principal, require_scope
from shared.web.problems import Problem

Reader = Annotated[Principal, Depends(require_scope("programmes:read"))]
Days = Annotated[int, Query(ge=1, le=90)]


class EditionShown(BaseModel):
    """An edition of a programme, and how many plans wait that were made with it."""

    version: str
    revision: int
    published_at: datetime
    plans: int
    current: bool


class RehearsalShown(BaseModel):
    """What a programme in shadow came to: whom it would have asked, and by reason why others not.

    `left_out` counts plans that ended and events that planned nobody; `waiting` plans that are due and wait.
    """

    programme: str
    since: datetime
    asks: int
    people: int
    accounts: int
    left_out: dict[str, int]
    waiting: dict[str, int]


def router(platform: Platform) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1", tags=["operation"])

    @routes.get("/programmes/{key}/plans")
    async def waiting_plans(key: str, _reader: Reader) -> list[EditionShown]:
        """Editions with the plans that wait; `afterword programmes replan` brings old ones up to date."""
        async with platform.db.read() as conn:
            return await editions_shown(conn, key)

    @routes.get("/programmes/{key}/rehearsal")
    async def rehearsal(key: str, _reader: Reader, days: Days = 7) -> RehearsalShown:
        """What a programme in shadow came to in the last days."""
        now = platform.clock.now()
        async with platform.db.read() as conn:
            await _known(conn, key)
            found = await shadow.rehearsals(conn, [key], now - timedelta(days=days), now)
        return RehearsalShown.model_validate(found[key], from_attributes=True)

    return routes


async def editions_shown(conn: Connection, key: str) -> list[EditionShown]:
    """Editions of a programme that is known, the newest first: the current one, and those with plans.

    Raises:
        Problem: 404; there is no such programme.
    """
    version = await _known(conn, key)
    waiting = await plans.waiting_editions(conn, key)
    return [
        EditionShown(
            version=one.version,
            revision=one.revision,
            published_at=one.published_at,
            plans=waiting.get(one.version, 0),
            current=one.version == version,
        )
        for one in await programmes.editions_by(conn, key)
        if one.version == version or one.version in waiting
    ]


async def _known(conn: Connection, key: str) -> str:
    found = {one.key: one.version for one in await programmes.standings(conn)}
    if key not in found:
        raise Problem(404, "There is no such programme.", field="key")
    return found[key]
