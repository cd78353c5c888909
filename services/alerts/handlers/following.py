"""Tasks that follow answers, opened and ended in the transaction of the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.alerts.domain import routing
from services.alerts.domain import tasks as rules
from services.alerts.domain.model import Answer, Owner
from services.alerts.domain.routing import Staff
from services.alerts.domain.task_kinds import TaskKind
from services.alerts.domain.tasks import Change, Task, TaskState, Why
from services.alerts.handlers.applying import Desk
from services.alerts.handlers.quoting import follow_answer, with_words
from services.alerts.handlers.writing import append, write
from services.alerts.store import answers, directory, rota, tasks
from services.alerts.store.tasks import Decision
from shared.db.database import Database, Tx
from shared.db.merged import families
from shared.runtime.ids import derive

BATCH = 100
Wants = Sequence[tuple[Answer, TaskKind, UUID]]


async def follow_up(desk: Desk, tx: Tx, heard: Sequence[Answer], staff: Staff) -> None:
    """Open the tasks that answers ask for and end those that they no longer do."""
    wishes = [(one, kind) for one in heard for kind in rules.wanted(one, desk.roster.tasks)]
    again = {one.response_id for one in heard if one.version > 1}
    if not wishes and not again:
        return
    known = await tasks.of_responses(tx.conn, {one.response_id for one, _ in wishes} | again)
    asked = {(one.response_id, kind.key) for one, kind in wishes}
    newest = await with_words(tx, {one.response_id: one for one in heard})
    wishes = [(newest[one.response_id], kind) for one, kind in wishes]
    known = [await follow_answer(desk, tx, task, newest[task.response_id]) for task in known]
    ended = [
        rules.unfounded(task, newest[task.response_id], tx.now)
        for task in known
        if task.is_open and (task.response_id, task.kind) not in asked
    ]
    await write(desk, tx, ended)
    mine = {(task.response_id, task.kind): task for task in known}
    fresh = [(one, kind) for one, kind in wishes if not _stands(mine.get((one.response_id, kind.key)))]
    if fresh:
        await _open(desk, tx, fresh, mine, staff)


def _stands(task: Task | None) -> bool:
    """Whether an answer has its task already; one that ended by itself may come again."""
    return task is not None and task.state is not TaskState.DROPPED


async def _open(
    desk: Desk,
    tx: Tx,
    wishes: Sequence[tuple[Answer, TaskKind]],
    mine: Mapping[tuple[UUID, str], Task],
    staff: Staff,
) -> None:
    subjects = await families(tx.conn, {rules.subject_of(kind, one) for one, kind in wishes})
    wants = [(one, kind, subjects[rules.subject_of(kind, one)][0]) for one, kind in wishes]
    former = {each: family[0] for family in subjects.values() for each in family}
    last = await _last(tx, wants, former)
    gone = await tasks.erased(tx.conn, {one.contact_id for one, _ in wishes})
    owners = await directory.owners(tx.conn, {one.account_id for one, _ in wishes if one.account_id})
    opened: dict[UUID, Change] = {}
    decisions: list[Decision] = []
    for one, kind, subject in wants:
        before = last.get((kind.key, subject))
        why = rules.hindrance(kind, one, before, tx.now, erased=one.contact_id in gone)
        if why is None:
            dropped = mine.get((one.response_id, kind.key))
            owner = owner_of(one, staff, owners, tx)
            new = rules.open_(task_id(kind, one), kind, one, subject, owner, tx.now)
            change = rules.revive(dropped, tx.now) if dropped else new
            opened[change.task.id] = change
            last[kind.key, subject] = change.task
        decisions.append(_decision(one, kind, why, tx))
    again = {task.id for task in mine.values()}
    fresh = await tasks.add(tx.conn, [c.task for key, c in opened.items() if key not in again])
    await write(desk, tx, [c for key, c in opened.items() if key in again])
    await append(desk, tx, [c for key, c in opened.items() if key in fresh])
    await tasks.decide(tx.conn, [_overtaken(d, fresh | again) for d in decisions])


async def _last(tx: Tx, wants: Wants, former: Mapping[UUID, UUID]) -> dict[tuple[str, UUID], Task]:
    """What there is of each kind for each customer, under whichever of their ids."""
    found = await tasks.last(tx.conn, {kind.key for _, kind, _ in wants}, set(former))
    found.sort(key=lambda task: (task.is_open, task.answered_at))
    return {(task.kind, former[task.subject]): task for task in found}


def task_id(kind: TaskKind, answer: Answer) -> UUID:
    """The id of an answer's task: it is one however often the answer is heard."""
    return derive("task", kind.key, answer.response_id)


def _decision(one: Answer, kind: TaskKind, why: Why | None, tx: Tx) -> Decision:
    own = None if why else task_id(kind, one)
    return Decision(one.response_id, kind.key, one.contact_id, tx.now, own, why)


def _overtaken(decision: Decision, written: set[UUID]) -> Decision:
    """Somebody else opened one of the kind for the same customer in the same moment."""
    if decision.task_id is None or decision.task_id in written:
        return decision
    return Decision(decision.response_id, decision.kind, decision.contact_id, decision.at, reason=Why.OPEN)


def owner_of(answer: Answer, staff: Staff, owners: Mapping[UUID, str], tx: Tx) -> Owner:
    """Who does it: the account's owner, else who is on call for the team that its cases go to."""
    known = owners.get(answer.account_id, "") if answer.account_id else ""
    team, _ = routing.place(answer.snapshot, staff, themes=answer.themes)
    return routing.owner(known or answer.snapshot.owner, staff, tx.now, team)


async def adopt(desk: Desk, db: Database) -> int:
    """Give the tasks of people who have left to whoever takes care now; returns how many."""
    async with db.begin() as tx:
        staff = await rota.staff(tx.conn, tx.now, desk.leadership, desk.roster)
        found = await tasks.lock_orphans(tx.conn, staff.workers, BATCH)
        if not found:
            return 0
        asked = await answers.load(tx.conn, {task.response_id for task in found})
        owners = await directory.owners(tx.conn, {task.account_id for task in found if task.account_id})
        changes = [
            rules.adopt(task, owner_of(asked[task.response_id], staff, owners, tx), tx.now) for task in found
        ]
        await write(desk, tx, changes)
    return len(found)
