"""`/v1/scores/drivers`: what goes with a score, asked and not asked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.scoring.domain.drivers import Quadrant
from services.scoring.domain.histogram import Metric
from services.scoring.domain.windows import Window, span_of
from services.scoring.handlers.programmes import known_programme
from services.scoring.store.drivers import Moved, moved
from shared.contracts.model import Family
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.security.access import Scope, require_scope
from shared.web.caching import SAME, AskedAgain
from shared.web.paging import Paging, paging


class DriverOut(BaseModel):
    """An attribute that people rated: importance by performance (R66)."""

    attribute: str
    n: int
    satisfied: int
    neutral: int
    unhappy: int
    performance: float = Field(description="share of people who are satisfied with it")
    low: float
    high: float
    importance: float | None = Field(description="rank correlation with the answer to the primary question")
    chance: float | None = Field(description="all attributes that were compared are counted in")
    quadrant: Quadrant


class EffectOut(BaseModel):
    """A value of an attribute of the event against all its other values."""

    metric: Metric
    family: Family
    attribute: str
    value: str
    n: int
    score: float | None
    others: float | None
    points: float | None
    low: float | None
    high: float | None
    chance: float
    certain: bool


class WishOut(BaseModel):
    """How many of those who were asked choose a partner by this (R42)."""

    attribute: str
    named: int
    asked: int
    low: float
    high: float


class DriversOut(BaseModel):
    """What goes with a programme's score; ratings of the newest answers alone where `complete` is false.

    Drivers and wishes are those of its form, few, and whole on each page. Effects are as many as an attribute
    of the event has values (each agent, each release): they come page by page, by metric, family, attribute
    and value; `next` is the cursor of what follows.
    """

    programme: str
    complete: bool
    drivers: list[DriverOut]
    effects: list[EffectOut]
    wishes: list[WishOut]
    next: str | None


def routes(db: Database, clock: Clock) -> APIRouter:
    """The route."""
    router = APIRouter(
        prefix="/v1/scores",
        tags=["scores"],
        dependencies=[Depends(require_scope(Scope.SCORES_READ))],
        route_class=AskedAgain,
        responses=SAME,
    )

    @router.get("/drivers")
    async def drivers(
        programme: Annotated[str, Query(min_length=1, max_length=200)],
        page: Annotated[Paging, Depends(paging(4))],
        window: Window = Window.DAYS_365,
    ) -> DriversOut:
        """What goes with the score: rated attributes, those of the event, what partners are chosen by."""
        async with db.read() as conn:
            found = await moved(conn, programme, span_of(window, clock.now().date()))
            await known_programme(conn, programme, [*found.rated, *found.effects, *found.wished])
        return _drivers(programme, found, page)

    return router


def _drivers(programme: str, found: Moved, page: Paging) -> DriversOut:
    rated = [
        DriverOut(
            attribute=one.attribute, n=one.n, satisfied=one.satisfied, neutral=one.neutral,
            unhappy=one.unhappy, performance=one.performance, low=one.low, high=one.high,
            importance=one.importance, chance=one.chance, quadrant=one.quadrant,
        )
        for one in found.rated
    ]  # fmt: skip
    shown, following = page.of(
        ((metric, family, one) for metric, family, measured in found.effects for one in measured),
        lambda row: (row[0].value, row[1], row[2].attribute, row[2].value),
    )
    effects = [
        EffectOut(
            metric=metric, family=Family(family), attribute=one.attribute, value=one.value,
            n=one.change.after.n, score=one.change.after.value, others=one.change.before.value,
            points=one.change.points, low=one.change.low, high=one.change.high, chance=one.chance,
            certain=one.certain,
        )
        for metric, family, one in shown
    ]  # fmt: skip
    wished = [
        WishOut(attribute=w.attribute, named=w.named, asked=w.asked, low=w.low, high=w.high)
        for w in found.wished
    ]
    return DriversOut(
        programme=programme, complete=found.complete, drivers=rated, effects=effects, wishes=wished,
        next=following,
    )  # fmt: skip
