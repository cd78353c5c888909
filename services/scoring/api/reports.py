"""`/v1/scores/changes`, `/definitions`, `/cohorts`, `/plan`: what the numbers mean, and what they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.scoring.api.numbers import PeriodNumbers, ScoreNumbers, numbers_of
from services.scoring.domain.asking import NoSuchRollup, Question, Span, ask
from services.scoring.domain.change import Verdict, detectable
from services.scoring.domain.cohorts import Cohort
from services.scoring.domain.definitions import Defined, Definition
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Score, split
from services.scoring.domain.parts import dimensions_of
from services.scoring.domain.planning import MOST, Outlook, plan
from services.scoring.domain.rollups import RATE_ROLLUPS, name_of, split_value
from services.scoring.domain.windows import Window, before, span_of
from services.scoring.handlers.programmes import known_programme
from services.scoring.store import queries, reports
from services.scoring.store.judging import alike_in
from shared.contracts.model import Family
from shared.db.database import Connection, Database
from shared.runtime.clock import Clock
from shared.security.access import Scope, require_scope
from shared.web.caching import SAME, AskedAgain
from shared.web.paging import Paging, paging
from shared.web.problems import Problem

DAYS_PLANNED = 90
"""Days that a plan takes for those to come."""


class SideOut(PeriodNumbers):
    """One side of a comparison."""


class ChangeOut(BaseModel):
    """How one score of a programme changed; numbers are None where answers are too few."""

    programme: str
    family: Family
    metric: Metric
    verdict: Verdict
    points: float | None
    low: float | None = Field(description="lower end of the 95 % interval of the change")
    high: float | None
    chance: float | None = Field(description="of a change at least as large if nothing had changed")
    detectable: float | None = Field(description="smallest change that so many answers would show")
    design_effect: float = Field(description="how much less an answer tells because colleagues answer alike")
    learned_at: datetime | None = Field(
        description="when it was learned how alike they answer; None: just now"
    )
    now: SideOut
    before: SideOut


class ChangesOut(BaseModel):
    """Changes of programmes, by metric, family and programme; `next` is the cursor of what follows."""

    changes: list[ChangeOut]
    next: str | None


class DefinedOut(ScoreNumbers):
    """One reading of a score; `covered` is the share of people, accounts or annual value that was heard."""

    definition: Definition
    accounts: int
    covered: float | None


class ReadingsOut(BaseModel):
    """The readings of one metric."""

    metric: Metric
    family: Family
    readings: list[DefinedOut]


class DefinitionsOut(BaseModel):
    """Every metric of a programme in four readings, twelve at most: so they come at once.

    `complete` is false where only the newest answers were read.
    """

    programme: str
    complete: bool
    metrics: list[ReadingsOut]


class CohortOut(BaseModel):
    """Everybody asked in one week; `arrived` is the share of its answers that should be there by now."""

    start: date
    asked: int
    answered: int
    rate: float | None
    arrived: float | None
    expected_rate: float | None
    complete: bool


class CohortsOut(BaseModel):
    """The last weeks of asking, fourteen at most: so they come at once."""

    programme: str
    cohorts: list[CohortOut]


class PlanOut(BaseModel):
    """How long until a change can be seen, four times of five, and what was reckoned with.

    `answers` and `days` are None where no number of answers is enough: of few customers whose people are of
    one mind further answers tell nothing new.
    """

    values: dict[str, str]
    metric: Metric
    points: float
    answers: int | None = Field(description="needed in each of the two periods")
    days: int | None = Field(description="length of each period at the rate of the last 90 days")
    design_effect: float | None = Field(
        description="how many of these answers tell as much as one would if colleagues did not answer alike"
    )
    intraclass: float = Field(description="how far colleagues answer alike, from 0 to 1")
    learned_from: int = Field(description="the programme's newest answers, which tell that")
    accounts: int = Field(description="that those answers are of")
    learned_at: datetime | None = Field(description="when; None: just now")
    population: int | None = Field(
        description="people who could answer in such a period: the fewer, the less is left open (relationship"
        " programmes, as a whole or by tier); None where that is unknown or without end"
    )
    never_below: float | None = Field(
        description="where no number of answers is enough: the smallest change that would ever show"
    )


def _days_planned(today: date) -> Span:
    """The days whose answers tell what to expect."""
    return Span(today - timedelta(days=DAYS_PLANNED - 1), today)


def _side(score: Score, span: Span) -> SideOut:
    return SideOut(start=span.first, end=span.last, **numbers_of(score))


def routes(db: Database, clock: Clock) -> APIRouter:
    """The routes."""
    router = APIRouter(
        prefix="/v1/scores",
        tags=["scores"],
        dependencies=[Depends(require_scope(Scope.SCORES_READ))],
        route_class=AskedAgain,
        responses=SAME,
    )

    @router.get("/changes")
    async def changes(
        page: Annotated[Paging, Depends(paging(3))],
        programme: Annotated[str, Query(max_length=200)] = "",
        family: Family | None = None,
        window: Window = Window.DAYS_90,
    ) -> ChangesOut:
        """Every score of a window beside that of the window before, with a verdict."""
        span = span_of(window, clock.now().date())
        earlier = before(span, window)
        if earlier is None:
            raise Problem(422, "window: there is nothing before all time.", field="window")
        async with db.read() as conn:
            found = await reports.compared(
                conn, span, earlier, programme=programme, family=family.value if family else None
            )
            await known_programme(conn, programme, found)
        shown, following = page.of(found, lambda one: (one.metric.value, one.family, one.programme))
        return ChangesOut(changes=[_change(one, span, earlier) for one in shown], next=following)

    @router.get("/definitions")
    async def definitions(
        programme: Annotated[str, Query(min_length=1, max_length=200)], window: Window = Window.DAYS_90
    ) -> DefinitionsOut:
        """By respondent, by account, by annual value, and of those who decide, each with its coverage."""
        async with db.read() as conn:
            found, complete = await reports.defined(conn, span_of(window, clock.now().date()), programme)
            await known_programme(conn, programme, found)
        return DefinitionsOut(programme=programme, complete=complete, metrics=_readings(found))

    @router.get("/cohorts")
    async def cohorts(programme: Annotated[str, Query(min_length=1, max_length=200)]) -> CohortsOut:
        """Response rates by the week of asking, with the answers that are still to come."""
        async with db.read() as conn:
            found = await reports.by_cohort(conn, programme, clock.now().date())
            await known_programme(conn, programme, found)
        return CohortsOut(programme=programme, cohorts=[_cohort(one) for one in found])

    @router.get("/plan")
    async def planned(
        programme: Annotated[str, Query(min_length=1, max_length=200)],
        metric: Metric,
        points: Annotated[float, Query(gt=0, le=200)] = 10,
        dimension: Annotated[str, Query(max_length=60)] = "",
        value: Annotated[str, Query(max_length=200)] = "",
    ) -> PlanOut:
        """How long until a change of some points can be seen in a programme, or in one segment of it."""
        span = _days_planned(clock.now().date())
        try:
            question = ask(programme=programme, dimension=dimension, value=value, metric=metric, span=span)
        except NoSuchRollup as error:
            raise Problem(422, f"dimension: {error}.", field="dimension") from error
        async with db.read() as conn:
            return await _plan(conn, question, points, programme, "value" if value else "metric")

    return router


def _change(one: reports.Compared, span: Span, earlier: Span) -> ChangeOut:
    change = one.change
    return ChangeOut(
        programme=one.programme, family=Family(one.family), metric=one.metric, verdict=change.verdict,
        points=change.points, low=change.low, high=change.high, chance=change.chance,
        detectable=change.smallest, design_effect=change.after.design.effect,
        learned_at=one.clustering.learned_at, now=_side(change.after, span),
        before=_side(change.before, earlier),
    )  # fmt: skip


def _readings(found: Mapping[tuple[Metric, str], Sequence[Defined]]) -> list[ReadingsOut]:
    return [
        ReadingsOut(metric=metric, family=Family(family), readings=[_defined(one) for one in readings])
        for (metric, family), readings in found.items()
    ]


def _defined(one: Defined) -> DefinedOut:
    score = one.score
    return DefinedOut(
        definition=one.definition, accounts=one.accounts, covered=one.covered, **numbers_of(score)
    )


def _cohort(one: Cohort) -> CohortOut:
    return CohortOut(
        start=one.start, asked=one.rate.asked, answered=one.rate.answered, rate=one.rate.value,
        arrived=one.arrived, expected_rate=one.expected, complete=one.complete,
    )  # fmt: skip


async def _plan(conn: Connection, question: Question, points: float, programme: str, field: str) -> PlanOut:
    found = await queries.scores(conn, question)
    await known_programme(conn, programme, found)
    if not found:
        raise Problem(404, "In the last 90 days nobody answered that.", field=field)
    if not question.exact:
        name = question.rollup.partition("+")[2]
        raise Problem(
            422, "value: name the part that is meant.", field="value",
            what_to_do=f"Add value=… with one of the values of {name}: GET /v1/scores lists them.",
        )  # fmt: skip
    outlook = await _outlook(conn, question, max(found, key=lambda one: one.histogram.n))
    try:
        made = plan(outlook, points)
    except ValueError as error:
        raise Problem(422, f"{error}.", field="points") from error
    design, known = made.design, outlook.clustering
    all_there_are = outlook.design(MOST).effective(MOST)
    return PlanOut(
        values=dict(split_value(question.rollup, found[0].value)), metric=outlook.metric, points=points,
        answers=made.answers, days=made.days, design_effect=design.effect if design else None,
        intraclass=known.intraclass, learned_from=known.answers, accounts=known.accounts,
        learned_at=known.learned_at, population=design.population if design else None,
        never_below=None if design else detectable(outlook.metric, outlook.seen, all_there_are),
    )  # fmt: skip


async def _outlook(conn: Connection, question: Question, own: queries.Found) -> Outlook:
    """What the answers of a programme, or of a part of it, let expect of those to come."""
    metric, n = own.histogram.metric, own.histogram.n
    sums = (metric, own.family, own.value, n)
    exactly = replace(question, metric=metric, family=own.family)
    alike = await alike_in(conn, dimensions_of(question.rollup), (sums,), exactly)
    clustering = alike.of(*sums)
    population = None
    if question.rollup in map(name_of, RATE_ROLLUPS):
        (could,) = await reports.people(conn, (question.span,), question.prefix, question.rollup)
        population = could.get((own.family, own.value))
    return Outlook(metric, split(own.histogram), DAYS_PLANNED, clustering, population)
