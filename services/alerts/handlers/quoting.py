"""Whether answers may be quoted, as tasks know it: by their ticks, and by what was said by word of mouth.

A rep writes it down with a task, an operator with a published score; either is told to the other (R84).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from services.alerts.domain import tasks as rules
from services.alerts.domain.model import Answer, Refused
from services.alerts.domain.quoting import may_quote
from services.alerts.domain.task_kinds import kind_of
from services.alerts.domain.tasks import Change, Spoken, Task
from services.alerts.handlers.applying import Desk
from services.alerts.handlers.writing import write
from services.alerts.store import answers, cases, quoting, tasks
from shared.contracts.envelope import Event
from shared.contracts.permissions import PermissionNoted
from shared.db.database import Tx
from shared.db.merged import families, family
from shared.db.permissions import announce
from shared.permissions import Word, heard
from shared.runtime.consumer import Route


def route(desk: Desk) -> Route:
    """The route of what others wrote down."""

    async def on_noted(events: Sequence[Event[PermissionNoted]], tx: Tx) -> None:
        await hear(desk, tx, heard(events))

    return Route((PermissionNoted.TYPE,), on_noted)


async def hear(desk: Desk, tx: Tx, words: Sequence[Word]) -> None:
    """Keep what was said and let the tasks of these answers know it."""
    if not words:
        return
    said = {word.response_id: word for word in words}
    # The case first, as whoever hears an answer does; an answer that nobody has heard yet has none.
    keys = {one.case_key for one in (await answers.load(tx.conn, said)).values()}
    await cases.lock(tx.conn, {key for kin in (await families(tx.conn, keys)).values() for key in kin})
    await quoting.lock(tx.conn, said)
    fresh = await quoting.note(tx.conn, words)
    known = await answers.load(tx.conn, fresh)
    for task in await tasks.of_responses(tx.conn, known):
        answer, word = known[task.response_id], said[task.response_id]
        if word.holds(answer.version, answer.agreed_at):
            await _tell(desk, tx, task, Spoken(_user(word.by)), quotable=may_quote(answer, word))


async def with_words(tx: Tx, those: Mapping[UUID, Answer]) -> dict[UUID, Answer]:
    """Answers with what may be quoted of them by now, what was said by word included."""
    await quoting.lock(tx.conn, those)
    said = await quoting.known(tx.conn, those)
    return {key: replace(one, quotable=may_quote(one, said.get(key))) for key, one in those.items()}


async def follow_answer(desk: Desk, tx: Tx, task: Task, answer: Answer) -> Task:
    """The task once it is noted whether its answer may be quoted; it seldom changes."""
    return (
        task
        if task.quotable == answer.quotable
        else await _tell(desk, tx, task, None, quotable=answer.quotable)
    )


async def say(desk: Desk, tx: Tx, task: Task, spoken: Spoken, *, given: bool) -> Change | Refused:
    """Write down what the customer said about being quoted, for all who publish; their case is locked.

    Returns the change of this task; others of the same answer are changed, too.
    """
    answer = (await answers.load(tx.conn, {task.response_id})).get(task.response_id)
    if answer is None or await tasks.erased(tx.conn, {task.contact_id}):
        return Refused("This person was erased.")
    await quoting.lock(tx.conn, {answer.response_id})
    word = Word(answer.response_id, answer.version, given, tx.now, f"user:{spoken.by}")
    if given and not may_quote(answer, word):
        return Refused("Their answer does not count: its words cannot be published.")
    if given and not spoken.note.strip():
        return Refused("Write down how and when they said so.")
    change = await _change(desk, tx, task, spoken, quotable=given)
    if change.line is None:
        return change
    if await quoting.note(tx.conn, [word]):
        announce(tx, PermissionNoted, word)
    for other in await tasks.of_responses(tx.conn, {answer.response_id}):
        if other.id != task.id:
            await _tell(desk, tx, other, Spoken(spoken.by), quotable=given)
    return change


async def _tell(desk: Desk, tx: Tx, task: Task, spoken: Spoken | None, *, quotable: bool) -> Task:
    change = await _change(desk, tx, task, spoken, quotable=quotable)
    await write(desk, tx, [change])
    return change.task


async def _change(desk: Desk, tx: Tx, task: Task, spoken: Spoken | None, *, quotable: bool) -> Change:
    kind = kind_of(task.kind, desk.roster.tasks)
    busy = False
    if not quotable and rules.rests_on_words(task, kind, spoken):
        others = await tasks.last(tx.conn, {task.kind}, set(await family(tx.conn, task.subject)))
        busy = any(other.is_open for other in others)
    return rules.quoting(task, kind, tx.now, quotable=quotable, busy=busy, spoken=spoken)


def _user(by: str) -> UUID | None:
    """Who of us wrote it down; None for a program."""
    kind, _, ident = by.partition(":")
    try:
        return UUID(ident) if kind == "user" else None
    except ValueError:
        return None
