"""`/v1/scores/segments`: the parts of a programme side by side, each against all others."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.scoring.api.numbers import ScoreNumbers, numbers_of
from services.scoring.api.scores import Reader
from services.scoring.domain.asking import NoSuchRollup, Span
from services.scoring.domain.change import Verdict
from services.scoring.domain.histogram import Metric
from services.scoring.domain.segments import POINTS, Segment
from services.scoring.domain.splitting import MOST_READ, split_of
from services.scoring.domain.windows import Window
from services.scoring.handlers.days import days_of
from services.scoring.handlers.programmes import known_programme
from services.scoring.handlers.seeing import may_see
from services.scoring.store import splits
from shared.contracts.model import Family
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.web.caching import SAME, AskedAgain
from shared.web.paging import Paging, paging
from shared.web.problems import Problem


class SegmentOut(ScoreNumbers):
    """One part; its score is None while nobody answered."""

    metric: Metric
    family: Family
    value: str = Field(description="of the dimension")
    points: float | None = Field(
        description="its score less that of all others; None where answers are too few"
    )
    verdict: Verdict = Field(
        description="against all others, with all parts counted in, whatever page they are on"
    )
    days: int | None = Field(
        description=f"how long until a change of {POINTS} points could be seen at the present rate of"
        " answers; None where never, or where nobody can say"
    )


class SegmentsOut(BaseModel):
    """Parts by metric, family and value; `next` is the cursor of what follows."""

    programme: str
    dimension: str
    sums: bool = Field(
        description="whether sums are kept for this dimension; else its newest answers were read"
    )
    since: date | None = Field(
        description=f"the day back to which the newest {MOST_READ:,} were read; None where that is all"
    )
    segments: list[SegmentOut]
    next: str | None


class Filters(BaseModel):
    """What the address asks for; dates win over the window."""

    model_config = ConfigDict(populate_by_name=True, frozen=True)

    programme: str = Field(min_length=1, max_length=200)
    dimension: str = Field(
        "", max_length=100, description="as tier, region, job_function, context.carrier; tier where not given"
    )
    family: Family | None = None
    window: Window = Window.DAYS_90
    first: date | None = Field(None, alias="from", description="first day, UTC")
    last: date | None = Field(None, alias="to", description="last day, UTC")

    def span(self, today: date) -> Span:
        """The days.

        Raises:
            Problem: 422, they end before they begin.
        """
        return days_of(self.first, self.last, self.window, today)


def routes(db: Database, clock: Clock) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/v1/scores", tags=["scores"], route_class=AskedAgain, responses=SAME)

    @router.get("/segments")
    async def segments(
        asked: Annotated[Filters, Query()], principal: Reader, page: Annotated[Paging, Depends(paging(3))]
    ) -> SegmentsOut:
        """Who says what: each part of a programme's answers against all others (R61, R67)."""
        try:
            dimension = split_of(asked.dimension)
        except NoSuchRollup as error:
            raise Problem(422, f"dimension: {error}.", field="dimension") from error
        today = clock.now().date()
        family = asked.family.value if asked.family else None
        async with db.read() as conn:
            await may_see(conn, (dimension,), principal.scopes)
            told, parts = await splits.told(
                conn, asked.programme, dimension, asked.span(today), family, today
            )
            await known_programme(conn, asked.programme, told)
        # A part is judged with all others in mind, so all are worked out before a page is cut from them.
        rows = [(metric.value, kind, one) for (metric, kind), found in told.items() for one in found]
        shown, following = page.of(rows, lambda row: (row[0], row[1], row[2].value))
        return SegmentsOut(
            programme=asked.programme, dimension=dimension, sums=parts.read is None, since=parts.since,
            segments=[_segment(*row) for row in shown], next=following,
        )  # fmt: skip

    return router


def _segment(metric: str, family: str, one: Segment) -> SegmentOut:
    score = one.score
    return SegmentOut(
        metric=Metric(metric), family=Family(family), value=one.value, **numbers_of(score),
        points=one.points, verdict=one.verdict, days=one.days,
    )  # fmt: skip
