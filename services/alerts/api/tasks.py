"""`/v1/tasks`: what is to be done for passives and promoters, for a CRM (R73, R74)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from services.alerts.api.acting import actor, decoded, must_work, next_of
from services.alerts.api.referrals import ReferralOut, out
from services.alerts.domain.model import Refused
from services.alerts.domain.referrals import ReferralState
from services.alerts.domain.tasks import Task, TaskState, Why
from services.alerts.handlers.actions import MAX_NOTE
from services.alerts.handlers.applying import Desk
from services.alerts.handlers.tasks import (
    MAX_NAME,
    MAX_REFERENCE,
    Action,
    NoSuchTaskError,
    Recommendation,
    Wish,
    act,
    refer,
)
from services.alerts.store import referrals, task_views, tasks
from shared.db.database import Database
from shared.security.access import Principal, Scope, require_scope
from shared.web.instants import Moment
from shared.web.paths import PLAIN
from shared.web.problems import Problem

Reader = Annotated[Principal, Depends(require_scope(Scope.TICKETS_READ))]
Writer = Annotated[Principal, Depends(require_scope(Scope.TICKETS_WRITE))]
InWhoseName = Field(default=None, description="in whose name; needed with an API key, which is no person")


class TaskOut(BaseModel):
    """A task. `answered_at` is when the answer came in that led to it."""

    id: UUID
    version: int
    kind: str
    state: TaskState
    mood: str
    programme: str
    response_id: UUID
    contact_id: UUID
    account_id: UUID | None
    owner: UUID | None
    owner_reason: str
    answered_at: datetime
    due_at: datetime
    ended_at: datetime | None
    consented_at: datetime | None = Field(description="when it was written down that they may be published")
    quotable: bool = Field(description="the answer allows that its words are published without a name")


class TaskPage(BaseModel):
    """A part of the list; `next` asks for the following one, empty at the end."""

    tasks: list[TaskOut]
    next: str = ""


class TaskWhole(TaskOut):
    """A task with its timeline and referrals."""

    timeline: list[dict[str, Any]]
    referrals: list[ReferralOut]


class LeftOutOut(BaseModel):
    """An answer that led to no task of a kind, and why."""

    response_id: UUID
    kind: str
    at: datetime
    reason: Why


class TaskActing(BaseModel):
    """What goes with an action. `version` refuses the action when the task has changed since."""

    note: str = Field(default="", max_length=MAX_NOTE)
    agreed: bool = Field(default=False, description="with `done`: they agreed to be published")
    to: UUID | None = Field(default=None, description="with `assign`: who does it from now on")
    version: int | None = None
    user_id: UUID | None = InWhoseName


class Referring(BaseModel):
    """How far a referral is. `who` is kept sealed and shown on pages only."""

    state: ReferralState = ReferralState.SENT
    who: str = Field(default="", max_length=MAX_NAME, description="whom we were recommended to")
    at: Moment | None = Field(default=None, description="since when; left out: now")
    user_id: UUID | None = InWhoseName


def router(desk: Desk, db: Database) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/tasks", tags=["tasks"])
    _reading(routes, db)
    _acting(routes, desk, db)
    return routes


def _reading(routes: APIRouter, db: Database) -> None:
    @routes.get("")
    async def list_tasks(
        _who: Reader,
        state: TaskState = TaskState.OPEN,
        owner: UUID | None = None,
        kind: Annotated[str, Query(max_length=40, pattern=PLAIN)] = "",
        contact: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        after: Annotated[str, Query(max_length=200)] = "",
    ) -> TaskPage:
        """Open tasks by what is due first, or those that have ended in a state, newest first."""
        ended = state is not TaskState.OPEN
        query = task_views.Query(
            owner=owner,
            ended=ended,
            state=state.value,
            kind=kind,
            contact=contact,
            limit=limit,
            after=decoded(after),
        )
        async with db.read() as conn:
            found = [line.task for line in await task_views.lines(conn, query)]
        more = next_of(found[-1].ended_at or found[-1].due_at, found[-1].id) if len(found) == limit else ""
        return TaskPage(tasks=[_out(task) for task in found], next=more)

    @routes.get("/left-out")
    async def left_out(
        _who: Reader,
        contact: UUID | None = None,
        response: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> list[LeftOutOut]:
        """Answers that led to no task although one was asked for, newest first, with the reason."""
        async with db.read() as conn:
            found = await task_views.left_out(conn, limit, contact, response)
        return [
            LeftOutOut(response_id=one.response_id, kind=one.kind, at=one.at, reason=Why(one.reason))
            for one in found
        ]

    @routes.get("/{task_id}")
    async def get_task(task_id: UUID, _who: Reader) -> TaskWhole:
        """One task with its timeline and referrals."""
        async with db.read() as conn:
            task = await tasks.task(conn, task_id)
            if task is None:
                raise _unknown()
            lines = await task_views.said(conn, task_id)
            sent = await referrals.of_task(conn, task_id)
        timeline = [{"at": s.at, "by": s.by or "system", "did": s.did, "data": s.data} for s in lines]
        return TaskWhole(
            **_out(task).model_dump(), timeline=timeline, referrals=[out(referral) for referral in sent]
        )


def _acting(routes: APIRouter, desk: Desk, db: Database) -> None:
    @routes.post("/{task_id}/{action}")
    async def do(task_id: UUID, action: Action, who: Writer, acting: TaskActing | None = None) -> TaskOut:
        """Do, decline, note, assign or open again."""
        acting = acting or TaskActing()
        by = actor(who, acting.user_id)
        wish = Wish(action, by, acting.version, acting.note, acting.to, acting.agreed)
        try:
            async with db.begin() as tx:
                await must_work(tx, by)
                done = await act(desk, tx, task_id, wish)
        except NoSuchTaskError:
            raise _unknown() from None
        if isinstance(done, Refused):
            raise _refused(done, task_id)
        return _out(done)

    @routes.put("/{task_id}/referrals/{reference}")
    async def put_referral(
        task_id: UUID,
        reference: Annotated[str, Path(min_length=1, max_length=MAX_REFERENCE, pattern=PLAIN)],
        who: Writer,
        referring: Referring,
    ) -> ReferralOut:
        """Whom a promoter recommended us to, or how far that is: sent, lead, won, lost. Repeated safely."""
        by = actor(who, referring.user_id)
        told = Recommendation(reference, by, referring.state, referring.who, referring.at)
        try:
            async with db.begin() as tx:
                await must_work(tx, by)
                done = await refer(desk, tx, task_id, told)
        except NoSuchTaskError:
            raise _unknown() from None
        if isinstance(done, Refused):
            raise _refused(done, task_id)
        return out(done)


def _out(task: Task) -> TaskOut:
    return TaskOut(
        id=task.id,
        version=task.version,
        kind=task.kind,
        state=task.state,
        mood=task.mood.value,
        programme=task.programme,
        response_id=task.response_id,
        contact_id=task.contact_id,
        account_id=task.account_id,
        owner=task.owner.user_id,
        owner_reason=task.owner.reason,
        answered_at=task.answered_at,
        due_at=task.due_at,
        ended_at=task.ended_at,
        consented_at=task.consented_at,
        quotable=task.quotable,
    )


def _refused(refused: Refused, task_id: UUID) -> Problem:
    return Problem(409, refused.why, what_to_do=f"Look at GET /v1/tasks/{task_id}.")


def _unknown() -> Problem:
    return Problem(404, "There is no such task.", what_to_do="Look in the list: GET /v1/tasks.")
