"""`GET /v1/rates/subjects`: how many were begun and answered by the subject line they were sent with."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from services.dispatch.domain.rates import LONGEST, SPAN
from services.dispatch.domain.subjects import Judged, Verdict, judged
from services.dispatch.store import subjects
from shared.db.database import Database
from shared.security.access import Principal, Scope, require_scope
from shared.web.instants import Moment
from shared.web.problems import Problem

MessageReader = Annotated[Principal, Depends(require_scope(Scope.MESSAGES_READ))]


class LineShown(BaseModel):
    """A subject line; `first` is the id of the programme's own subject."""

    line: str
    sent: int = Field(description="surveys whose first message was handed over with it")
    people: int = Field(description="their recipients: the n of the interval")
    started: int
    answered: int
    rate: float | None = Field(description="answered of sent, 0 to 1")
    low: float | None = Field(description="lower end of its 95 % interval")
    high: float | None
    few: bool = Field(description="too few people to compare it")
    verdict: Verdict


class ProgrammeLines(BaseModel):
    """The lines of a programme, the most answered first."""

    programme: str
    lines: list[LineShown]


class LinesOfSpan(BaseModel):
    """All programmes that sent several subject lines in a span of time."""

    since: datetime
    until: datetime
    programmes: list[ProgrammeLines]


def subject_routes(db: Database) -> APIRouter:
    """The route `/v1/rates/subjects`."""
    router = APIRouter(prefix="/v1/rates", tags=["dispatch"])

    @router.get("/subjects")
    async def of_span(
        _reader: MessageReader, since: Moment | None = None, until: Moment | None = None
    ) -> LinesOfSpan:
        """Sums of the surveys requested from `since` (30 days ago) to `until` (now) by subject line.

        `ahead` and `behind` are said when more than chance stands behind it, all pairs of lines counted in;
        else `nothing_yet`.
        """
        last: datetime = until or db.clock.now()
        first: datetime = since or last - SPAN
        if not timedelta(0) < last - first <= LONGEST:
            raise Problem(422, "since: must lie before until, by 400 days at most.")
        async with db.read() as conn:
            found = await subjects.sums(conn, first, last)
        return LinesOfSpan(
            since=first,
            until=last,
            programmes=[
                ProgrammeLines(programme=key, lines=[_shown(one) for one in judged(lines)])
                for key, lines in found.items()
            ],
        )

    return router


def _shown(one: Judged) -> LineShown:
    sums, around = one.sums, one.sums.around()
    return LineShown(
        line=sums.line,
        sent=sums.sent,
        people=sums.people,
        started=sums.started,
        answered=sums.answered,
        rate=None if sums.share is None else round(sums.share, 4),
        low=round(around.low, 4) if around else None,
        high=round(around.high, 4) if around else None,
        few=sums.few,
        verdict=one.verdict,
    )
