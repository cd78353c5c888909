"""`GET /v1/rates`: what became of surveys, as of now, with the response rate against target and floor."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from services.dispatch.domain.rates import LONGEST, SPAN, Thresholds
from services.dispatch.store import rates
from services.dispatch.store.rates import Cut
from shared.db.database import Database
from shared.security.access import Principal, Scope, require_scope
from shared.web.instants import Moment
from shared.web.problems import Problem

MessageReader = Annotated[Principal, Depends(require_scope(Scope.MESSAGES_READ))]


def rate_routes(db: Database, thresholds: Thresholds) -> APIRouter:
    """The route `/v1/rates`."""
    router = APIRouter(prefix="/v1", tags=["dispatch"])

    @router.get("/rates")
    async def of_span(
        _reader: MessageReader,
        by: Annotated[Cut, Query()] = Cut.PROGRAMME,
        since: Moment | None = None,
        until: Moment | None = None,
    ) -> dict[str, Any]:
        """Sums of the surveys requested from `since` (30 days ago) to `until` (now).

        By programme, channel or account manager; without tests. Who only opened a mail is not measured:
        `not_begun` are all who neither began nor had their mail come back. `few`: too few to judge by.
        """
        last: datetime = until or db.clock.now()
        first: datetime = since or last - SPAN
        if not timedelta(0) < last - first <= LONGEST:
            raise Problem(422, "since: must lie before until, by 400 days at most.")
        async with db.read() as conn:
            found = await rates.rates(conn, by, first, last)
        rows = [
            {
                **asdict(one),
                "rate": None if one.share is None else round(one.share, 4),
                "few": one.few,
                "standing": thresholds.standing(one.sent, one.answered).value,
            }
            for one in found
        ]
        return {"since": first, "until": last, **asdict(thresholds), "rates": rows}

    return router
