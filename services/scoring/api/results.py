"""`/v1/scores/goals`, `/fixes`, `/outcomes`, `/churn`, `/references`: what came of it, and of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from services.scoring.api.numbers import ScoreNumbers, numbers_of
from services.scoring.domain.change import Verdict
from services.scoring.domain.goals import Progress
from services.scoring.domain.histogram import Metric
from services.scoring.domain.leaving import Told
from services.scoring.domain.metrics import Group
from services.scoring.domain.outcomes import Fate, Link, Outcome
from services.scoring.domain.references import References, Standing
from services.scoring.domain.telling import ProgrammeOutcome, Telling, Tells
from services.scoring.store import churn, results
from services.scoring.store.outcomes import by_programme
from services.scoring.store.references import beside
from shared.contracts.model import Family
from shared.contracts.programmes import ProgrammeState
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.security.access import Scope, require_scope
from shared.web.caching import SAME, AskedAgain
from shared.web.paging import Paging, paging


class GoalOut(BaseModel):
    """The goal of a group of programmes and how far it came; counts of events are by 30 days."""

    group: str
    family: Family | None = Field(
        description="a goal on a score has one for each kind of survey; null for a goal on what happens, and"
        " while nobody has answered"
    )
    metric: str
    change: str
    by: date
    since: date
    programmes: list[str]
    before: float | None
    n_before: int
    low_before: float | None = Field(description="lower end of the 95 % interval of `before`")
    high_before: float | None
    now: float | None
    n_now: int
    low_now: float | None = Field(description="lower end of the 95 % interval of `now`")
    high_now: float | None
    target: float | None
    share: float | None = Field(description="of the way from the baseline to the target")
    progress: Progress


class GoalsOut(BaseModel):
    """Goals, by group and family; `next` is the cursor of what follows."""

    goals: list[GoalOut]
    next: str | None


class FixOut(BaseModel):
    """A change that was shipped, and a score 90 days before and up to 90 days after it."""

    day: date
    label: str
    programme: str = Field(description="whose score it is; empty where it is that of a product")
    product: str = Field(
        description="that the change names: the score is that of all surveys of this family about it"
    )
    inside: list[str] = Field(
        description="programmes in which the newest answers about the product were given; compare each by"
        " itself with /v1/scores/compare"
    )
    family: Family
    metric: Metric
    n_before: int
    n_after: int
    before: float | None
    after: float | None
    points: float | None
    low: float | None
    high: float | None
    verdict: Verdict
    certain: bool = Field(description="not chance, all comparisons of this list counted in")


class FixesOut(BaseModel):
    """Changes that were shipped, the newest first, what is said of their products before all else.

    `next` is the cursor of what follows.
    """

    fixes: list[FixOut]
    next: str | None


class FateOut(BaseModel):
    """Accounts that had said one thing, and how many of them left."""

    mood: Group
    accounts: int
    left: int


class OutcomeOut(BaseModel):
    """Did accounts that were unhappy leave more often than those that were happy?"""

    metric: Metric
    fates: list[FateOut]
    link: Link
    points: float | None = Field(description="percent of the unhappy that left, less that of the happy")
    low: float | None
    high: float | None


class OutcomesOut(BaseModel):
    """Outcomes, by metric; `next` is the cursor of what follows."""

    outcomes: list[OutcomeOut]
    next: str | None


class TellingOut(BaseModel):
    """One metric of a programme: do accounts that were unhappy in it leave more often than happy ones?"""

    metric: Metric
    fates: list[FateOut]
    tells: Tells = Field(description="of who leaves, with all programmes of the list counted in")
    points: float | None = Field(description="percent of the unhappy that left, less that of the happy")
    low: float | None
    high: float | None
    worth: float = Field(
        description="a difference that is worth knowing, in percent of accounts: half the share of these"
        " accounts that left, 10 at most; with `nothing` one as large is ruled out"
    )


class ProgrammeOutcomeOut(BaseModel):
    """What answers to a programme tell of who leaves."""

    programme: str
    touchpoints: list[str] = Field(
        description="that it asks after; none where it goes by a date or asks by hand, or that is not known"
    )
    state: ProgrammeState | None = Field(description="null where it is not known")
    asked: int = Field(description="surveys handed over in the last 30 days")
    follows_up: bool | None = Field(
        description="whether a case, help or a task follows an unhappy answer; null where it is not known"
    )
    outcomes: list[TellingOut] = Field(description="by metric")
    consider_retiring: bool = Field(
        description="a suggestion: it asks people, none of its metrics tells anything, and nothing follows an"
        " unhappy answer"
    )


class ProgrammeOutcomesOut(BaseModel):
    """Programmes that those who stayed or left had answered, by key; `next` is the cursor of what follows."""

    programmes: list[ProgrammeOutcomeOut]
    next: str | None


class ChurnRisingOut(BaseModel):
    """More customers left in 30 days than in the 180 before, by more than chance explains."""

    day: date = Field(description="on which it was told (`churn.rising.v1`)")
    seen: date = Field(description="on which it was last there")
    dimension: str = Field(description="`tier` or `product`; empty: all customers")
    value: str = Field(description="which tier or product")
    left_before: int = Field(description="accounts that left in the 180 days before")
    left_after: int = Field(description="in the 30 days up to `day`")
    expected: float = Field(description="that would have left in the 30 days at the rate of before")
    renewed_before: int
    renewed_after: int
    accounts_before: int = Field(description="customers on a usual day of the 180")
    accounts_after: int = Field(description="of the 30")
    before: float = Field(description="percent of the customers that left in 30 days, before")
    after: float
    low: float = Field(description="they left at least so many times as often (95 % with `high`)")
    high: float | None = Field(description="at most so many times; null where nobody had left before")
    chance: float = Field(
        description="of such a rise where nothing changed, all tiers and products looked at counted in"
    )
    happened: list[str] = Field(description="releases, incidents and changes of the 30 days")


class ChurnOut(BaseModel):
    """Rises that were still there within the last week.

    `rising` is that of all customers, null where there is none; `parts` are those of tiers and products.
    """

    rising: ChurnRisingOut | None
    parts: list[ChurnRisingOut]


class ReferenceOut(BaseModel):
    """A value that scores are held against."""

    name: str = Field(description="in English, else in any language")
    names: dict[str, str] = Field(description="by language, as far as it was given so")
    metric: Metric
    value: float
    source: str
    industry: str = Field(description="that it holds for; empty: for all")
    competitor: bool


class HeldOut(ScoreNumbers):
    """A score of the last 365 days beside a value that holds for the house."""

    family: Family
    metric: Metric
    name: str = Field(description="of the value")
    value: float
    competitor: bool
    standing: Standing = Field(
        description="of the score against the value; above or below only with its whole interval"
    )


class ReferencesOut(BaseModel):
    """The house's own industry, all values, those of other industries too, and scores beside them."""

    industry: str
    values: list[ReferenceOut]
    held: list[HeldOut]


def routes(db: Database, clock: Clock, references: References) -> APIRouter:
    """The routes."""
    router = APIRouter(
        prefix="/v1/scores",
        tags=["scores"],
        dependencies=[Depends(require_scope(Scope.SCORES_READ))],
        route_class=AskedAgain,
        responses=SAME,
    )

    @router.get("/goals")
    async def goals(page: Annotated[Paging, Depends(paging(2))]) -> GoalsOut:
        """Goals of groups, and how far they came (R86); kinds of surveys apart."""
        async with db.read() as conn:
            found = await results.goals(conn, clock.now().date())
        shown, following = page.of(found, lambda one: (one.group, one.family))
        return GoalsOut(goals=[_goal(one) for one in shown], next=following)

    @router.get("/fixes")
    async def fixes(page: Annotated[Paging, Depends(paging(_PLACES))]) -> FixesOut:
        """Did a change help? Scores before and after it (R69)."""
        async with db.read() as conn:
            found = await results.fixes(conn, clock.now().date())
        shown, following = page.of(found, _place_of)
        return FixesOut(fixes=[_fix(one) for one in shown], next=following)

    @router.get("/outcomes")
    async def outcomes(page: Annotated[Paging, Depends(paging(1))]) -> OutcomesOut:
        """Renewals and churn of a year against what was said in the 180 days before."""
        async with db.read() as conn:
            found = await results.outcomes(conn, clock.now().date())
        shown, following = page.of(found, lambda one: (one.metric.value,))
        return OutcomesOut(outcomes=[_outcome(one) for one in shown], next=following)

    @router.get("/outcomes/programmes")
    async def outcomes_by_programme(page: Annotated[Paging, Depends(paging(1))]) -> ProgrammeOutcomesOut:
        """The same by what was said in each programme: which tell who leaves, and which might be retired."""
        async with db.read() as conn:
            found = await by_programme(conn, clock.now().date())
        shown, following = page.of(found, lambda one: (one.programme,))
        return ProgrammeOutcomesOut(programmes=[_programme(one) for one in shown], next=following)

    @router.get("/churn")
    async def churned() -> ChurnOut:
        """Whether more customers leave than before: of all, and of tiers and products (R68)."""
        async with db.read() as conn:
            told = await churn.standing(conn, clock.now().date())
        whole = [_rising(one) for one in told if not one.dimension]
        parts = [_rising(one) for one in told if one.dimension]
        return ChurnOut(rising=whole[0] if whole else None, parts=parts)

    @router.get("/references")
    async def held_against() -> ReferencesOut:
        """Values of the industry and of competitors, and our scores beside them (R9, R92)."""
        return await _references(db, references, clock.now().date())

    return router


async def _references(db: Database, references: References, today: date) -> ReferencesOut:
    async with db.read() as conn:
        found = await beside(conn, references, today)
    values = [
        ReferenceOut.model_validate(one.model_dump() | {"name": one.named("en"), "names": one.names})
        for one in references.values
    ]
    held = [
        HeldOut(
            family=Family(one.family), metric=one.score.metric, name=of.reference.named("en"),
            value=of.reference.value, competitor=of.reference.competitor, standing=of.standing,
            **numbers_of(one.score),
        )
        for one in found
        for of in one.held
    ]  # fmt: skip
    return ReferencesOut(industry=references.industry, values=values, held=held)


def _rising(told: Told) -> ChurnRisingOut:
    fields = asdict(told) | {"happened": [f"{kind}: {label}" for _, kind, label in told.happened]}
    return ChurnRisingOut.model_validate(fields)


def _goal(one: results.Aim) -> GoalOut:
    goal, reached = one.goal, one.reached
    before, now = reached.before, reached.now
    return GoalOut(
        group=one.group, family=Family(one.family) if one.family else None, metric=goal.metric,
        change=goal.change, by=goal.by, since=goal.since,
        programmes=list(one.programmes), before=before.value, n_before=before.n, low_before=before.low,
        high_before=before.high, now=now.value, n_now=now.n, low_now=now.low, high_now=now.high,
        target=reached.target, share=reached.share, progress=reached.progress,
    )  # fmt: skip


def _outcome(one: Outcome) -> OutcomeOut:
    return OutcomeOut(
        metric=one.metric, link=one.link, points=one.points, low=one.low, high=one.high,
        fates=_fates(one.fates),
    )  # fmt: skip


def _fates(found: Mapping[Group, Fate]) -> list[FateOut]:
    return [
        FateOut(mood=mood, accounts=fate.accounts, left=fate.left) for mood, fate in sorted(found.items())
    ]


def _programme(one: ProgrammeOutcome) -> ProgrammeOutcomeOut:
    return ProgrammeOutcomeOut(
        programme=one.programme, touchpoints=list(one.touchpoints), state=one.state, asked=one.asked,
        follows_up=one.follows_up, outcomes=[_telling(of) for of in one.tellings],
        consider_retiring=one.consider_retiring,
    )  # fmt: skip


def _telling(one: Telling) -> TellingOut:
    return TellingOut(
        metric=one.metric, fates=_fates(one.fates), tells=one.tells, points=one.points, low=one.low,
        high=one.high, worth=one.worth,
    )  # fmt: skip


def _place_of(one: results.Fix) -> tuple[str, ...]:
    """Where a comparison stands: days of old come last, what is said of a product before the programmes."""
    newest_first = f"{(date.max - one.day).days:07}"
    about = "product" if one.product else "programmes"
    return newest_first, one.label, about, one.product, one.metric.value, one.family, one.programme


_PLACES = 7
"""Texts of it."""


def _fix(one: results.Fix) -> FixOut:
    change = one.change
    return FixOut(
        day=one.day, label=one.label, programme=one.programme, product=one.product,
        inside=list(one.inside), family=Family(one.family),
        metric=one.metric, n_before=change.before.n, n_after=change.after.n, before=change.before.value,
        after=change.after.value,
        points=change.points, low=change.low, high=change.high, verdict=change.verdict, certain=one.certain,
    )  # fmt: skip
