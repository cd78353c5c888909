"""What people do to tasks: lock, decide, write. Each returns the task, or why it was refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.alerts.domain import referrals as paths
from services.alerts.domain import tasks as rules
from services.alerts.domain.model import Refused
from services.alerts.domain.referrals import Referral, ReferralState
from services.alerts.domain.routing import Staff
from services.alerts.domain.task_kinds import kind_of
from services.alerts.domain.tasks import Change, Spoken, Task
from services.alerts.handlers.actions import MAX_NOTE
from services.alerts.handlers.applying import Desk, Note
from services.alerts.handlers.quoting import say
from services.alerts.handlers.writing import write
from services.alerts.store import cases, referrals, rota, tasks
from shared.db.database import Tx
from shared.db.merged import family
from shared.runtime.ids import derive

MAX_REFERENCE = 100
MAX_NAME = 200


class Action(StrEnum):
    """What a person can do to a task."""

    DONE = "done"
    DECLINE = "decline"
    NOTE = "note"
    ASSIGN = "assign"
    REOPEN = "reopen"
    QUOTABLE = "quotable"
    UNQUOTABLE = "unquotable"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to do.

    Attributes:
        seen: version of the task that the person looked at; None when a program asks.
        agreed: with `done`: they agreed that something of theirs is published.
    """

    action: Action
    by: UUID
    seen: int | None = None
    note: str = ""
    to: UUID | None = None
    agreed: bool = False


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What somebody writes down of a referral.

    Attributes:
        reference: by which whoever writes it knows it; the same one again is the same referral.
        who: whom we were recommended to; empty leaves what is known.
        at: since when it is so; None: now.
    """

    reference: str
    by: UUID
    state: ReferralState = ReferralState.SENT
    who: str = ""
    at: datetime | None = None


class NoSuchTaskError(LookupError):
    """There is no task with this id."""


async def act(desk: Desk, tx: Tx, task_id: UUID, wish: Wish) -> Task | Refused:
    """Do it, unless the state forbids it or somebody else was faster.

    Raises:
        NoSuchTaskError: there is no task with this id.
    """
    task = await _lock(tx, task_id)
    if len(wish.note) > MAX_NOTE:
        return Refused(f"The note is longer than {MAX_NOTE} characters.")
    change = await _decide(desk, tx, task, wish)
    if isinstance(change, Refused) or change.line is None:
        return change if isinstance(change, Refused) else task
    if wish.seen is not None and wish.seen < task.version and wish.action is not Action.NOTE:
        return Refused("Somebody changed this task while you looked at it. Read what is new, then go on.")
    await write(desk, tx, [change])
    return change.task


async def _decide(desk: Desk, tx: Tx, task: Task, wish: Wish) -> Change | Refused:
    match wish.action:
        case Action.DONE:
            kind = kind_of(task.kind, desk.roster.tasks)
            return rules.finish(task, kind, wish.by, tx.now, wish.note, agreed=wish.agreed)
        case Action.DECLINE:
            return rules.decline(task, wish.by, tx.now, wish.note)
        case Action.NOTE:
            return rules.write(task, wish.by, tx.now, wish.note)
        case Action.ASSIGN:
            return await _assign(desk, tx, task, wish)
        case Action.REOPEN:
            return await _reopen(tx, task, wish)
        case Action.QUOTABLE | Action.UNQUOTABLE:
            spoken = Spoken(wish.by, wish.note)
            return await say(desk, tx, task, spoken, given=wish.action is Action.QUOTABLE)


async def _assign(desk: Desk, tx: Tx, task: Task, wish: Wish) -> Change | Refused:
    if wish.to is None or wish.to not in (await _staff(desk, tx)).workers:
        return Refused("Choose somebody who works on cases and is active.")
    return rules.assign(task, wish.by, tx.now, wish.to)


async def _reopen(tx: Tx, task: Task, wish: Wish) -> Change | Refused:
    if task.is_open:
        return Change(task)
    if await tasks.erased(tx.conn, {task.contact_id}):
        return Refused("This person was erased.")
    others = await tasks.last(tx.conn, {task.kind}, await family(tx.conn, task.subject))
    if any(other.is_open for other in others):
        return Refused("This customer has another open task of this kind. Work on that one.")
    return rules.reopen(task, wish.by, tx.now)


async def refer(desk: Desk, tx: Tx, task_id: UUID, told: Recommendation) -> Referral | Refused:
    """Write down whom a promoter recommended us to, or how far that has come; twice is once.

    Raises:
        NoSuchTaskError: there is no task with this id.
    """
    task = await _lock(tx, task_id)
    why = await _not_kept(desk, tx, task, told)
    if why:
        return Refused(why)
    at, before = told.at or tx.now, await referrals.one(tx.conn, task.id, told.reference)
    fresh = Referral(
        derive("referral", task.id, told.reference),
        task.id,
        task.contact_id,
        task.programme,
        told.reference,
        ReferralState.SENT,
        at,
    )
    after = paths.move(before or fresh, told.state, at, tx.now)
    if isinstance(after, Refused):
        return after
    if before is not None and after == before and not told.who.strip():
        return before
    (who,) = await desk.sealer.seal(tx.conn, [(task.contact_id, Note(text=told.who.strip()))])
    await referrals.save(tx.conn, after, who if told.who.strip() else after.who)
    if before is None or after != before:
        line: Mapping[str, str] = {"referral": str(after.id), "state": after.state.value}
        await write(desk, tx, [rules.referred(task, told.by, tx.now, line, fresh=before is None)])
    return after


async def _not_kept(desk: Desk, tx: Tx, task: Task, told: Recommendation) -> str:
    """Why a referral cannot be written down; "" when it can."""
    if not kind_of(task.kind, desk.roster.tasks).referrals:
        return "Referrals are kept with tasks that ask for one."
    if not told.reference.strip() or len(told.reference) > MAX_REFERENCE or len(told.who) > MAX_NAME:
        return f"A reference has 1 to {MAX_REFERENCE} characters, a name {MAX_NAME} at most."
    if told.at is not None and told.at > tx.now:
        return "That day has not come yet."
    if await tasks.erased(tx.conn, {task.contact_id}):
        return "This person was erased."
    return ""


async def _lock(tx: Tx, task_id: UUID) -> Task:
    """The task, once nobody else can change it or open another one for the same customer."""
    seen = await tasks.task(tx.conn, task_id)
    if seen is None:
        raise NoSuchTaskError
    await cases.lock(tx.conn, {seen.account_id or seen.contact_id})
    task = await tasks.lock(tx.conn, task_id)
    assert task is not None  # noqa: S101 - tasks are never deleted
    return task


async def _staff(desk: Desk, tx: Tx) -> Staff:
    return await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
