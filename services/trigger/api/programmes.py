"""`/v1/programmes/{key}/plans` and `/rehearsal`: what waits by edition, and what shadow came to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.trigger.handlers.replanning import editions_waiting
from services.trigger.store import programmes, shadow
from shared.db.database import Connection
from shared.runtime.service import Platform
from shared.security.access import Principal, require_scope
from shared.web.paths import Key
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

    `left_out` counts plans that ended and events that planned nobody; `waiting` plans that are due and wait;
    `ahead` those that are not due yet, of which the next is at `next_at`.
    """

    programme: str
    since: datetime
    asks: int
    people: int
    accounts: int
    left_out: dict[str, int]
    waiting: dict[str, int]
    ahead: int
    next_at: datetime | None


def router(platform: Platform) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1", tags=["operation"])

    @routes.get("/programmes/{key}/plans")
    async def waiting_plans(key: Key, _reader: Reader) -> list[EditionShown]:
        """Editions with the plans that wait; `afterword programmes replan` brings old ones up to date."""
        async with platform.db.read() as conn:
            await _known(conn, key)
            found = await editions_waiting(conn, key)
        return [EditionShown.model_validate(one, from_attributes=True) for one in found]

    @routes.get("/programmes/{key}/rehearsal")
    async def rehearsal(key: Key, _reader: Reader, days: Days = 7) -> RehearsalShown:
        """What a programme in shadow came to in the last days."""
        now = platform.clock.now()
        async with platform.db.read() as conn:
            await _known(conn, key)
            found = await shadow.rehearsals(conn, [key], now - timedelta(days=days), now)
        return RehearsalShown.model_validate(found[key], from_attributes=True)

    return routes


async def _known(conn: Connection, key: str) -> None:
    if all(one.key != key for one in await programmes.standings(conn)):
        raise Problem(404, "There is no such programme.", field="key")
