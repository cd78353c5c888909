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
from shared.intervals import Interval
from shared.security.access import Principal, Scope, require_scope
from shared.web.instants import Moment
from shared.web.problems import Problem

MessageReader = Annotated[Principal, Depends(require_scope(Scope.MESSAGES_READ))]


def _share(name: str, value: float | None, around: Interval | None) -> dict[str, float | None]:
    """A share with its interval; None where there is no whole."""
    low, high = (around.low, around.high) if around else (None, None)
    told = {name: value, f"{name}_low": low, f"{name}_high": high}
    return {key: None if one is None else round(one, 4) for key, one in told.items()}


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
        `rate` is the share of those sent that were answered, `completion` that of people who began (answers
        that are held are in neither); `_low` and `_high` are their 95 % intervals.
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
                **_share("rate", one.share, one.around),
                **_share("completion", one.completion, one.around_completion),
                "few": one.few,
                "standing": thresholds.standing(one.sent, one.answered).value,
            }
            for one in found
        ]
        return {"since": first, "until": last, **asdict(thresholds), "rates": rows}

    return router
