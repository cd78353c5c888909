"""`/v1/scores/accounts`: each customer's health and its parts, beside value, silence and tickets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.scoring.api.numbers import PeriodNumbers, ScoreNumbers, numbers_of
from services.scoring.domain.health import Measured, Part
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import score
from services.scoring.domain.periods import Step, trend
from services.scoring.store import accounts, customers
from services.scoring.store.accounts import After, Wanted
from services.scoring.store.queries import Series
from shared.contracts.model import Family, Persona, Tier
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.security.access import Scope, require_scope
from shared.web.caching import SAME, AskedAgain
from shared.web.cursors import after_of, cursor_of
from shared.web.problems import Problem


class PartOut(BaseModel):
    """One part of a health score: its weight, and its share from 0 to 1 where it is known.

    Surveys of different kinds, and on different scales, are parts of their own: they share the weight.
    """

    part: Part
    metric: Metric | None = Field(
        description="what was asked; None where it is no survey or none was answered"
    )
    family: Family | None = Field(description="kind of the survey that asked it")
    weight: float
    share: float | None


class AccountScoreOut(ScoreNumbers):
    """What an account's people said within a year to surveys of one kind; persona None is everybody."""

    metric: Metric
    family: Family
    persona: Persona | None


class CommitteeOut(BaseModel):
    """People of one persona: known, and heard within a year."""

    persona: Persona | None
    people: int
    heard: int


class AccountOut(BaseModel):
    """One account."""

    account_id: UUID
    name: str
    tier: Tier | None
    industry: str
    owner: str
    annual_value: float | None
    acquisition_cost: float | None = Field(description="what it cost to win it")
    phase: str
    renewal_on: date | None
    health: int | None = Field(description="0 to 100; None where none of its people was heard")
    health_known: float = Field(description="share of the weights whose part is known")
    parts: list[PartOut]
    scores: list[AccountScoreOut]
    committee: list[CommitteeOut]
    silent_days: int | None = Field(description="since the last answer; None where nobody ever answered")
    open_tickets: int
    support_tickets: int = Field(description="of the last 90 days")
    usage: float | None = Field(description="of the last 30 days, as a share of that of the 90 before")


class QuarterOut(PeriodNumbers):
    """What an account's people said in one quarter; both days included."""


class OverTimeOut(BaseModel):
    """One metric of one kind of survey, quarter by quarter; of the newest 2,000 answers of two years."""

    metric: Metric
    family: Family
    quarters: list[QuarterOut]


class HappenedOut(BaseModel):
    """A renewal, an end, a support ticket or the like at the account."""

    at: datetime
    kind: str
    event: str
    label: str


class AccountPageOut(AccountOut):
    """One account with its history: scores of two years, and the newest 30 of what happened."""

    history: list[OverTimeOut]
    happened: list[HappenedOut]


class AccountsOut(BaseModel):
    """Accounts of most annual value first; `next` is the cursor of what follows."""

    accounts: list[AccountOut]
    next: str | None


def routes(db: Database, clock: Clock, weights: Mapping[Part, float]) -> APIRouter:
    """The routes; who may see accounts may see their scores."""
    router = APIRouter(
        prefix="/v1/scores/accounts",
        tags=["scores"],
        dependencies=[Depends(require_scope(Scope.ACCOUNTS_READ))],
        route_class=AskedAgain,
        responses=SAME,
    )

    @router.get("")
    async def listed(
        tier: Tier | None = None,
        owner: Annotated[str, Query(max_length=200)] = "",
        name: Annotated[str, Query(max_length=200, description="part of the name")] = "",
        cursor: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
    ) -> AccountsOut:
        """Accounts with their health, a page at a time."""
        wanted = Wanted(tier.value if tier else "", owner, name)
        after = after_of(cursor)
        async with db.read() as conn:
            found = await accounts.listed(conn, wanted, After(*after) if after else None, limit + 1)
            shown = await customers.customers(conn, found[:limit], clock.now(), weights)
        more = (
            cursor_of(found[limit - 1].annual_value or 0, found[limit - 1].account_id)
            if len(found) > limit
            else None
        )
        return AccountsOut(accounts=[_out(one) for one in shown], next=more)

    @router.get("/{account_id}")
    async def one(account_id: UUID) -> AccountPageOut:
        """One account, with its scores by quarter and what happened."""
        now = clock.now()
        async with db.read() as conn:
            found = await customers.customer(conn, account_id, now, weights)
            if found is None:
                raise Problem(404, "There is no such account.", field="account_id")
            answers = await accounts.answers(conn, account_id, (now - accounts.HISTORY).date())
            happened = await accounts.happened(conn, account_id)
        return AccountPageOut(
            **_out(found).model_dump(),
            history=[_over_time(one) for one in accounts.over_time(answers)],
            happened=[
                HappenedOut(at=at, kind=kind, event=event, label=label) for at, kind, event, label in happened
            ],
        )

    return router


def _over_time(series: Series) -> OverTimeOut:
    quarters = []
    for period in trend(series.metric, series.parts, Step.QUARTER):
        found = score(period.histogram)
        quarters.append(
            QuarterOut(
                start=period.start, end=period.end, **numbers_of(found))
        )  # fmt: skip
    return OverTimeOut(metric=series.metric, family=Family(series.family), quarters=quarters)


def _part(one: Measured) -> PartOut:
    metric, family = one.asked or (None, None)
    return PartOut(part=one.part, metric=metric, family=family, weight=one.weight, share=one.share)


def _out(one: customers.Customer) -> AccountOut:
    account, around = one.account, one.around
    return AccountOut(
        account_id=account.account_id, name=account.name, tier=Tier(account.tier) if account.tier else None,
        industry=account.industry, owner=account.owner, annual_value=account.annual_value,
        acquisition_cost=account.acquisition_cost,
        phase=account.phase, renewal_on=account.renewal_on,
        health=one.health.value, health_known=one.health.known,
        parts=[_part(each) for each in one.health.parts],
        scores=[
            AccountScoreOut(
                metric=metric, family=family, persona=Persona(persona) if persona else None,
                **numbers_of(score),
            )
            for (metric, family, persona), score in sorted(one.scores.items())
        ],
        committee=[
            CommitteeOut(persona=Persona(persona) if persona else None, people=people, heard=heard)
            for persona, (people, heard) in sorted(around.committee.items())
        ],
        silent_days=one.silent_days, open_tickets=around.open_tickets,
        support_tickets=around.support_tickets, usage=around.usage,
    )  # fmt: skip
