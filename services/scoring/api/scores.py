"""`/v1/scores`: scores with their intervals, trends, and the sums of every programme."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.scoring.api.numbers import PeriodNumbers, ScoreNumbers, numbers_of
from services.scoring.domain.asking import NoSuchRollup, Question, Span, ask
from services.scoring.domain.cutting import MOST_FACTS, Cut, cut
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import Score
from services.scoring.domain.periods import Step, trend
from services.scoring.domain.rates import Asked, rate
from services.scoring.domain.rollups import name_of, split_value
from services.scoring.handlers.days import days_between
from services.scoring.handlers.programmes import known_programme
from services.scoring.handlers.seeing import may_see
from services.scoring.store import queries
from services.scoring.store.judging import Course, Judged, courses, judged, judged_cut
from shared.contracts.model import Family
from shared.db.database import Database
from shared.security.access import Principal, Scope, require_scope
from shared.web.caching import SAME, AskedAgain
from shared.web.paging import Paging, paging
from shared.web.problems import Problem

_EFFECT = "how many of these answers tell as much as one would if colleagues did not answer alike"
_LEARNED = "when it was learned how alike they answer; None: just now, or nothing is known of it"


class ScoreOut(ScoreNumbers):
    """One score. NPS in points from -100 to 100, CSAT and CES in percent; None while nobody answered."""

    metric: Metric
    family: Family
    values: dict[str, str] = Field(description="dimension -> value; empty for the total of a family")
    design_effect: float = Field(description=_EFFECT)
    learned_at: datetime | None = Field(description=_LEARNED)
    histogram: dict[str, int] = Field(description="answers by value of the scale")


class ScoresOut(BaseModel):
    """Scores by the values of a dimension, in the order of metric, family and value.

    `next` is the cursor of what follows.
    """

    dimension: str
    scores: list[ScoreOut]
    complete: bool = Field(
        default=True,
        description=f"false where the newest {MOST_FACTS:,} answers were read and there are more",
    )
    next: str | None


class PeriodOut(PeriodNumbers):
    """One period of a trend; both days included."""

    design_effect: float = Field(description=_EFFECT)
    histogram: dict[str, int]


class TrendOut(BaseModel):
    """The trend of one score."""

    metric: Metric
    family: Family
    values: dict[str, str]
    learned_at: datetime | None = Field(description=_LEARNED)
    periods: list[PeriodOut]


class TrendsOut(BaseModel):
    """Trends by the values of a dimension, in the order of scores; `next` is the cursor of what follows."""

    dimension: str
    step: Step
    trends: list[TrendOut]
    next: str | None


class ProgrammeOut(BaseModel):
    """What a programme came to: surveys by what became of them, and every metric's score."""

    programme: str
    family: Family
    requested: int
    handed_over: int
    answered: int
    held: int
    response_rate: float | None
    response_low: float | None
    response_high: float | None
    scores: list[ScoreOut]


class SummaryOut(BaseModel):
    """Programmes, by family and key; `next` is the cursor of what follows."""

    programmes: list[ProgrammeOut]
    next: str | None


class Filters(BaseModel):
    """What the address asks for; all optional."""

    programme: str = Field("", max_length=200)
    dimension: str = Field(
        "",
        max_length=100,
        description="as tier, tier+persona, programme+context.carrier or total; any other of up to three"
        " dimensions is read from the newest answers",
    )
    value: str = Field("", max_length=400, description="value of the dimension, as key")
    metric: Metric | None = None
    family: Family | None = None
    first: date | None = Field(None, alias="from", description="first day, UTC")
    last: date | None = Field(None, alias="to", description="last day, UTC")


def _span(filters: Filters) -> Span:
    """The days that are asked for.

    Raises:
        Problem: 422, they end before they begin.
    """
    return days_between(filters.first, filters.last)


def _question(filters: Annotated[Filters, Query()]) -> Question:
    try:
        return ask(
            programme=filters.programme,
            dimension=filters.dimension,
            value=filters.value,
            metric=filters.metric,
            family=filters.family.value if filters.family else None,
            span=_span(filters),
        )
    except NoSuchRollup as error:
        raise Problem(422, f"dimension: {error}.", field="dimension") from error


def _question_or_cut(filters: Annotated[Filters, Query()]) -> Question | Cut:
    try:
        return _question(filters)
    except Problem:
        return _cut(filters)


def _cut(filters: Filters) -> Cut:
    try:
        return cut(
            filters.dimension,
            programme=filters.programme,
            value=filters.value,
            metric=filters.metric,
            family=filters.family.value if filters.family else None,
            span=_span(filters),
        )
    except NoSuchRollup as error:
        raise Problem(422, f"dimension: {error}.", field="dimension") from error


def _programme(filters: Annotated[Filters, Query()]) -> str:
    return filters.programme


Programme = Annotated[str, Depends(_programme)]
Asking = Annotated[Question, Depends(_question)]
Cutting = Annotated[Question | Cut, Depends(_question_or_cut)]
Page = Annotated[Paging, Depends(paging(3))]
Reader = Annotated[Principal, Depends(require_scope(Scope.SCORES_READ))]


def _numbers(found: Score, histogram: Histogram) -> dict[str, Any]:
    return {
        **numbers_of(found),
        "design_effect": found.design.effect,
        "histogram": histogram.by_value(),
    }


def _score_out(found: Judged, rollup: str) -> ScoreOut:
    return ScoreOut(
        metric=found.score.metric,
        family=Family(found.family),
        values=dict(split_value(rollup, found.value)),
        learned_at=found.clustering.learned_at,
        **_numbers(found.score, found.histogram),
    )


def _trend_out(course: Course, rollup: str, step: Step) -> TrendOut:
    one = course.series
    return TrendOut(
        metric=one.metric,
        family=Family(one.family),
        values=dict(split_value(rollup, one.value)),
        learned_at=course.clustering.learned_at,
        periods=[
            PeriodOut(
                start=period.start, end=period.end,
                **_numbers(course.score(period.histogram), period.histogram),
            )
            for period in trend(one.metric, one.parts, step)
        ],
    )  # fmt: skip


def routes(db: Database) -> APIRouter:
    """The routes of the API."""
    router = APIRouter(prefix="/v1/scores", tags=["scores"], route_class=AskedAgain, responses=SAME)

    @router.get("")
    async def scores(question: Cutting, programme: Programme, principal: Reader, page: Page) -> ScoresOut:
        """Scores by the values of a dimension; without one, each programme's. Families stay apart."""
        if isinstance(question, Cut):
            return await _cut_out(db, question, programme, principal, page)
        async with db.read() as conn:
            await may_see(conn, question.rollup.split("+"), principal.scopes)
            found = await judged(conn, question)
            await known_programme(conn, programme, found)
        return _scores_out(question.rollup, found, page)

    @router.get("/trend")
    async def trends(
        question: Asking, programme: Programme, principal: Reader, page: Page, step: Step = Step.WEEK
    ) -> TrendsOut:
        """Scores by week, month or quarter; a period without an answer is there, with score null."""
        async with db.read() as conn:
            await may_see(conn, question.rollup.split("+"), principal.scopes)
            found = await courses(conn, question)
            await known_programme(conn, programme, found)
        shown, following = page.of(found, _place_of)
        out = [_trend_out(one, question.rollup, step) for one in shown]
        return TrendsOut(dimension=question.rollup, step=step, trends=out, next=following)

    @router.get("/summary", dependencies=[Depends(require_scope(Scope.SCORES_READ))])
    async def summary(page: Annotated[Paging, Depends(paging(2))]) -> SummaryOut:
        """Every programme's surveys and scores: the books of scoring."""
        async with db.read() as conn:
            found = await judged(conn, Question("programme"))
            asked = await queries.rates(conn, "programme", Span())
        keys, following = page.of({(one.family, one.value) for one in found} | set(asked), lambda key: key)
        return SummaryOut(
            programmes=[_programme_out(key, asked.get(key, Asked()), found) for key in keys], next=following
        )

    return router


async def _cut_out(
    db: Database, wanted: Cut, programme: str, principal: Principal, page: Paging
) -> ScoresOut:
    name = name_of(wanted.dimensions)
    async with db.read() as conn:
        await may_see(conn, wanted.dimensions, principal.scopes)
        found, complete = await judged_cut(conn, wanted)
        await known_programme(conn, programme, found)
    return _scores_out(name, found, page, complete=complete)


def _scores_out(rollup: str, found: Sequence[Judged], page: Paging, *, complete: bool = True) -> ScoresOut:
    shown, following = page.of(found, lambda one: (one.score.metric.value, one.family, one.value))
    return ScoresOut(
        dimension=rollup,
        scores=[_score_out(one, rollup) for one in shown],
        complete=complete,
        next=following,
    )


def _place_of(course: Course) -> tuple[str, str, str]:
    return course.series.metric.value, course.series.family, course.series.value


def _programme_out(key: tuple[str, str], asked: Asked, found: list[Judged]) -> ProgrammeOut:
    rated = rate(asked)
    return ProgrammeOut(
        programme=key[1],
        family=Family(key[0]),
        requested=asked.requested,
        handed_over=asked.handed_over,
        answered=asked.answered,
        held=asked.held,
        response_rate=rated.value,
        response_low=rated.low,
        response_high=rated.high,
        scores=[_score_out(one, "programme") for one in found if (one.family, one.value) == key],
    )
