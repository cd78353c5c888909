"""`/v1/improvements`: what is changed because of what customers said, for a planning tool (R76)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.alerts.api.acting import actor, must_work
from services.alerts.domain.effect import Effect, Tally
from services.alerts.domain.improvements import LONGEST_NAME, LONGEST_TITLE, MOST, Improvement, Plan
from services.alerts.domain.improvements import road_map as in_order
from services.alerts.domain.model import Refused
from services.alerts.domain.taking_part import Said
from services.alerts.handlers.actions import MAX_NOTE
from services.alerts.handlers.applying import Desk
from services.alerts.handlers.improving import Action, NoSuchImprovementError, Wish, act, keep
from services.alerts.store import directory, improvements, raising, taking_part
from shared.contracts.forms import QuestionType
from shared.contracts.improvements import Stage, Verdict
from shared.contracts.messages import MessageKind
from shared.db.database import Connection, Database
from shared.runtime.clock import Clock
from shared.security.access import Principal, Scope, require_scope
from shared.web.dates import zone_of
from shared.web.problems import Problem

Reader = Annotated[Principal, Depends(require_scope(Scope.TICKETS_READ))]
Writer = Annotated[Principal, Depends(require_scope(Scope.TICKETS_WRITE))]
InWhoseName = Field(default=None, description="in whose name; needed with an API key, which is no person")
Name = Annotated[str, Field(max_length=LONGEST_NAME)]
Weight = Annotated[int, Field(ge=1, le=MOST)]


class Keeping(BaseModel):
    """An improvement action as it is to be, without names of customers."""

    title: str = Field(min_length=1, max_length=LONGEST_TITLE)
    theme: Name = Field(default="", description="a cause of cases, a theme of comments, or anything else")
    programme: Name = Field(default="", description="whose score it is to raise")
    product: Name = Field(default="", description="only answers about it count for the score; empty: all")
    impact: Weight = Field(description="1: hardly anybody notices, 5: many or the largest need it")
    effort: Weight = Field(description="1: a day, 5: a quarter or more")
    owner: UUID
    due_on: date = Field(description="day by which it is shipped, where the organisation is")
    version: int | None = Field(default=None, description="refuses the change when it has changed since")
    user_id: UUID | None = InWhoseName


class Improving(BaseModel):
    """What goes with an action. `version` refuses a move when the improvement has changed since."""

    note: str = Field(default="", max_length=MAX_NOTE, description="needed by `drop` and `measure`")
    ticket: UUID | None = Field(
        default=None, description="with `link`, `unlink`; `link` without it takes all cases of its cause"
    )
    response: UUID | None = Field(
        default=None, description="with `link`, `unlink`: an answer; one of a case stands for that case"
    )
    words: dict[Annotated[str, Field(max_length=8)], str] = Field(
        default_factory=dict, max_length=50,
        description="with `ship`, `tell`, `invite`: language to what those who speak it are told",
    )  # fmt: skip
    version: int | None = None
    user_id: UUID | None = InWhoseName


class ImprovementOut(BaseModel):
    """An improvement action. `priority` is impact divided by effort."""

    id: UUID
    version: int
    title: str
    theme: str
    programme: str
    product: str
    impact: int
    effort: int
    priority: float
    owner: UUID
    due_on: date
    late: bool
    stage: Stage
    opened_at: datetime
    shipped_at: datetime | None
    ended_at: datetime | None


class SideOut(BaseModel):
    """Answers of one side: `score` is None while nobody answered."""

    answers: int
    accounts: int
    score: float | None


class EffectOut(BaseModel):
    """The score in the 90 days before and after shipping; `points` with its 95 % interval, unless too few."""

    scale: QuestionType
    verdict: Verdict
    before: SideOut
    after: SideOut
    points: float | None
    low: float | None
    high: float | None


class ImprovementWhole(ImprovementOut):
    """With its cases, its effect, and how many of those who raised it were told."""

    tickets: list[UUID]
    responses: list[UUID] = Field(description="answers that it comes from and that have no case")
    effects: list[EffectOut]
    counted_at: datetime | None = Field(description="since when `effects` are final; null while they grow")
    raised_by: int = Field(description="people in its cases and comments, each once")
    told: int = Field(description="of them, those for whom a message was asked for")
    invited: int = Field(description="of them, those who were invited to take part in it")
    take_part: int = Field(description="of the invited, those who said yes; each is a task of the owner")


def router(desk: Desk, db: Database, clock: Clock) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/improvements", tags=["improvements"])
    _reading(routes, db, clock)
    _writing(routes, desk, db)
    return routes


def _reading(routes: APIRouter, db: Database, clock: Clock) -> None:
    @routes.get("")
    async def list_improvements(
        _who: Reader, stage: Stage | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
    ) -> list[ImprovementOut]:
        """The road map in its order: what is late first, then by priority; or those of one stage."""
        async with db.read() as conn:
            today = await _today(conn, clock)
            found = in_order(await improvements.waiting(conn), today)
            if stage is Stage.SHIPPED:
                found = await improvements.shipped(conn)
            elif stage in {Stage.MEASURED, Stage.DROPPED}:
                found = await improvements.ended(conn, limit)
        wanted = [one for one in found if stage is None or one.stage is stage]
        return [_out(one, today) for one in wanted[:limit]]

    @routes.get("/{improvement_id}")
    async def get_improvement(improvement_id: UUID, _who: Reader) -> ImprovementWhole:
        """One improvement with what it has changed so far."""
        async with db.read() as conn:
            one = await improvements.get(conn, improvement_id)
            if one is None:
                raise _unknown()
            found = await improvements.effects(conn, one, clock.now())
            raised = await improvements.raised(conn, one.id, MessageKind.YOU_SAID_WE_DID.value)
            invited = await improvements.raised(conn, one.id, MessageKind.INVITATION.value)
            helpers = await taking_part.helpers(conn, one.id)
            return ImprovementWhole(
                **_out(one, await _today(conn, clock)).model_dump(),
                tickets=[case.ticket_id for case in await improvements.cases(conn, one.id)],
                responses=[said.response_id for said in await raising.comments(conn, one.id)],
                effects=[_effect(each) for each in found],
                counted_at=one.figures.at if one.figures else None,
                raised_by=len(raised),
                told=sum(who.state is not None for who in raised),
                invited=sum(who.state is not None for who in invited),
                take_part=sum(each.said is Said.YES for each in helpers),
            )


def _writing(routes: APIRouter, desk: Desk, db: Database) -> None:
    @routes.put("/{improvement_id}")
    async def put_improvement(improvement_id: UUID, who: Writer, keeping: Keeping) -> ImprovementOut:
        """Propose an improvement under an id of one's own, or change it. Repeated safely."""
        by = actor(who, keeping.user_id)
        plan = Plan(**keeping.model_dump(exclude={"version", "user_id"}))
        async with db.begin() as tx:
            await must_work(tx, by)
            done = await keep(desk, tx, improvement_id, plan, by, keeping.version)
            today = tx.now.astimezone(zone_of((await directory.organisation(tx.conn)).zone)).date()
        if isinstance(done, Refused):
            raise _refused(done, improvement_id)
        return _out(done, today)

    @routes.post("/{improvement_id}/{action}")
    async def do(
        improvement_id: UUID, action: Action, who: Writer, improving: Improving | None = None
    ) -> ImprovementOut:
        """Move it on or back, note something, link cases, tell or invite those who raised it."""
        told = improving or Improving()
        by = actor(who, told.user_id)
        wish = Wish(action, by, told.version, told.note, told.ticket, told.response, told.words)
        try:
            async with db.begin() as tx:
                await must_work(tx, by)
                done = await act(desk, tx, improvement_id, wish)
                today = tx.now.astimezone(zone_of((await directory.organisation(tx.conn)).zone)).date()
        except NoSuchImprovementError:
            raise _unknown() from None
        if isinstance(done, Refused):
            raise _refused(done, improvement_id)
        return _out(done, today)


async def _today(conn: Connection, clock: Clock) -> date:
    return clock.now().astimezone(zone_of((await directory.organisation(conn)).zone)).date()


def _out(one: Improvement, today: date) -> ImprovementOut:
    plan = one.plan
    return ImprovementOut(
        id=one.id,
        version=one.version,
        title=plan.title,
        theme=plan.theme,
        programme=plan.programme,
        product=plan.product,
        impact=plan.impact,
        effort=plan.effort,
        priority=round(plan.priority, 2),
        owner=plan.owner,
        due_on=plan.due_on,
        late=one.late(today),
        stage=one.stage,
        opened_at=one.opened_at,
        shipped_at=one.shipped_at,
        ended_at=one.ended_at,
    )


def _effect(one: Effect) -> EffectOut:
    def side(tally: Tally) -> SideOut:
        return SideOut(answers=tally.n, accounts=tally.accounts, score=tally.score(one.scale))

    return EffectOut(
        scale=one.scale,
        verdict=one.verdict,
        before=side(one.before),
        after=side(one.after),
        points=one.points,
        low=one.low,
        high=one.high,
    )


def _refused(refused: Refused, improvement_id: UUID) -> Problem:
    return Problem(409, refused.why, what_to_do=f"Look at GET /v1/improvements/{improvement_id}.")


def _unknown() -> Problem:
    return Problem(404, "There is no such improvement.", what_to_do="Look in the list: GET /v1/improvements.")
