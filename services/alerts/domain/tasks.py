"""Tasks after answers: which open, which do not and why, and how each ends (R73, R74, R79).

A programme names a task for its passives, one for its promoters, and one for ourselves after an unhappy
answer; `alerts.yaml` says what the name means, and which open after every such answer. Of each kind one is
open for a customer at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.alerts.domain.model import Answer, Owner, Refused, Standing
from services.alerts.domain.recovery import asked_about
from services.alerts.domain.task_kinds import Per, TaskKind, TaskRule, kind_of
from shared.contracts.responses import Mood

FRESH_FOR = timedelta(days=30)
"""Nobody is asked a favour for an answer that is older when it is heard."""


class TaskState(StrEnum):
    """How far a task is; dropped ones ended by themselves, as their answer no longer counts."""

    OPEN = "open"
    DONE = "done"
    DECLINED = "declined"
    DROPPED = "dropped"


class Why(StrEnum):
    """Why an answer led to no task of its own."""

    ERASED = "erased"
    NOBODY = "nobody"
    EXPIRED = "expired"
    OPEN = "open"
    LATELY = "lately"


class Did(StrEnum):
    """What a line of a task's timeline says."""

    OPENED = "opened"
    REVIVED = "revived"
    DROPPED = "dropped"
    DOUBTED = "doubted"
    DONE = "done"
    DECLINED = "declined"
    NOTED = "noted"
    ASSIGNED = "assigned"
    REOPENED = "reopened"
    REFERRED = "referred"
    MOVED = "moved"
    QUOTABLE = "quotable"
    UNQUOTABLE = "unquotable"


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do because of an answer: for the customer, or with ourselves after an unhappy one.

    Attributes:
        subject: whom it is about, the account or the contact, under the id known when it opened.
        answered_at: when the answer came in; deadline and spacing count from it.
        version: rises with every change.
        touched: somebody has begun with it; it no longer ends by itself.
        consented_at: when it was written down that they agreed to be published.
        quotable: the words of the answer may be published without name and company, as its writer ticked or
            said last.
    """

    id: UUID
    kind: str
    subject: UUID
    response_id: UUID
    contact_id: UUID
    account_id: UUID | None
    mood: Mood
    programme: str
    answered_at: datetime
    opened_at: datetime
    due_at: datetime
    owner: Owner
    state: TaskState = TaskState.OPEN
    version: int = 1
    touched: bool = False
    consented_at: datetime | None = None
    ended_at: datetime | None = None
    quotable: bool = False

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do it."""
        return self.state is TaskState.OPEN


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a task's timeline; `by` is a user or None for the system. `note` is sealed when stored."""

    did: Did
    at: datetime
    by: UUID | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Something that the customer said by word: who of ours wrote it down, None for a program, and how."""

    by: UUID | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A task as it is afterwards, with what to write down; without a line nothing has changed."""

    task: Task
    line: Line | None = None


def wanted(answer: Answer, rules: Mapping[str, TaskRule]) -> tuple[TaskKind, ...]:
    """The kinds of tasks that an answer asks for, the programme's own first; none while it does not count.

    Whether a case is fixed is no moment to ask for a favour.
    """
    if answer.standing is not Standing.COUNTED or asked_about(answer.snapshot):
        return ()
    own = (answer.task,) if answer.task else ()
    found = (kind_of(key, rules) for key in dict.fromkeys((*own, *rules)))
    return tuple(
        kind
        for kind in found
        if kind.key in own or (kind.after is answer.mood and kind.when.fits(answer.snapshot, answer.themes))
    )


def subject_of(kind: TaskKind, answer: Answer) -> UUID:
    """Whom a task is about; who has no account stands for themselves."""
    return answer.account_id if kind.per is Per.ACCOUNT and answer.account_id else answer.contact_id


def hindrance(
    kind: TaskKind, answer: Answer, last: Task | None, now: datetime, *, erased: bool
) -> Why | None:
    """Why no task opens; None when one does.

    Args:
        kind: what it would be.
        answer: the answer that asks for it.
        last: the customer's open task of this kind, else the one of the latest answer.
        now: business time.
        erased: whether the person was erased.
    """
    if erased:
        return Why.ERASED
    if not answer.person:
        return Why.NOBODY
    if now - answer.received_at > FRESH_FOR:
        return Why.EXPIRED
    if last is not None and last.is_open:
        return Why.OPEN
    if last is not None and answer.received_at - last.answered_at < kind.spacing:
        return Why.LATELY
    return None


def open_(
    task_id: UUID, kind: TaskKind, answer: Answer, subject: UUID, owner: Owner, now: datetime
) -> Change:
    """A new task."""
    task = Task(
        id=task_id,
        kind=kind.key,
        subject=subject,
        response_id=answer.response_id,
        contact_id=answer.contact_id,
        account_id=answer.account_id,
        mood=answer.mood,
        programme=answer.snapshot.programme,
        answered_at=answer.received_at,
        opened_at=now,
        due_at=answer.received_at + kind.due,
        owner=owner,
        quotable=answer.quotable,
    )
    return Change(task, Line(Did.OPENED, now))


def quoting(
    task: Task, kind: TaskKind, now: datetime, *, quotable: bool, busy: bool, spoken: Spoken | None = None
) -> Change:
    """Note that the words of the answer may be quoted, or no longer may.

    What was done because they might be is open again then: the words have to be taken down.

    Args:
        task: in any state.
        kind: what it is.
        now: business time.
        quotable: whether they may be.
        busy: the customer has another open task of this kind, so this one stays as it is.
        spoken: they said so by word; None: their answer says so.
    """
    opens = not quotable and not busy and rests_on_words(task, kind, spoken)
    if task.quotable == quotable and not opens:
        return Change(task)
    did = Did.QUOTABLE if quotable else Did.UNQUOTABLE
    line = Line(did, now, spoken.by, {"how": "word"}, spoken.note) if spoken else Line(did, now)
    changed = replace(task, quotable=quotable, version=task.version + 1, touched=task.touched or bool(spoken))
    if opens:
        changed = replace(changed, state=TaskState.OPEN, ended_at=None, consented_at=None, touched=True)
    return Change(changed, line)


def rests_on_words(task: Task, kind: TaskKind, spoken: Spoken | None) -> bool:
    """Whether it was done because their words may be quoted, so that it no longer holds once they may not.

    What they agreed to beyond their answer outlasts its ticks, and ends when they say so themselves.
    """
    if task.state is not TaskState.DONE or not kind.consent:
        return False
    return task.consented_at is None or (kind.quotes and spoken is not None)


def unfounded(task: Task, answer: Answer, now: datetime) -> Change:
    """The answer no longer asks for its task: it ends by itself, unless somebody has begun with it."""
    why = answer.standing.value if answer.standing is not Standing.COUNTED else answer.mood.value
    if task.touched:
        return Change(task, Line(Did.DOUBTED, now, data={"why": why}))
    return _ended(task, TaskState.DROPPED, Line(Did.DROPPED, now, data={"why": why}))


def revive(task: Task, now: datetime) -> Change:
    """The answer asks for a task again that had ended by itself."""
    task = replace(task, state=TaskState.OPEN, ended_at=None, version=task.version + 1)
    return Change(task, Line(Did.REVIVED, now))


def finish(
    task: Task, kind: TaskKind, by: UUID, now: datetime, note: str, *, agreed: bool
) -> Change | Refused:
    """It is done; what publishes something of theirs needs their consent, in the answer or written down."""
    if task.state is TaskState.DONE:
        return Change(task)
    if not task.is_open:
        return Refused("This task has ended. Open it again first.")
    written = agreed and bool(note.strip())
    if kind.consent and not written and not (kind.quotes and task.quotable):
        return Refused("Say that they agreed to be published, and write down how and to what.")
    done = replace(task, consented_at=now if kind.consent and written else None)
    return _ended(done, TaskState.DONE, Line(Did.DONE, now, by, note=note))


def decline(task: Task, by: UUID, now: datetime, note: str) -> Change | Refused:
    """They or we do not want it; why is written down for whoever would ask again."""
    if task.state is TaskState.DECLINED:
        return Change(task)
    if not task.is_open:
        return Refused("This task has ended. Open it again first.")
    if not note.strip():
        return Refused("Say why, for whoever would ask them again.")
    return _ended(task, TaskState.DECLINED, Line(Did.DECLINED, now, by, note=note))


def reopen(task: Task, by: UUID, now: datetime) -> Change:
    """It is to be done after all; its deadline stays."""
    if task.is_open:
        return Change(task)
    again = replace(task, state=TaskState.OPEN, ended_at=None, consented_at=None)
    return _touched(again, Line(Did.REOPENED, now, by))


def assign(task: Task, by: UUID, now: datetime, to: UUID) -> Change | Refused:
    """Somebody else does it."""
    if not task.is_open:
        return Refused("This task has ended. Open it again first.")
    if task.owner.user_id == to:
        return Change(task)
    given = replace(task, owner=Owner(to, "was given the task"))
    return _touched(given, Line(Did.ASSIGNED, now, by, {"to": str(to)}))


def adopt(task: Task, owner: Owner, now: datetime) -> Change:
    """Whoever had it has left."""
    given = replace(task, owner=owner, version=task.version + 1)
    return Change(given, Line(Did.ASSIGNED, now, data={"to": str(owner.user_id or "")}))


def write(task: Task, by: UUID, now: datetime, note: str) -> Change | Refused:
    """A note; from now on somebody has begun with it."""
    if not note.strip():
        return Refused("The note is empty.")
    return _touched(task, Line(Did.NOTED, now, by, note=note))


def referred(task: Task, by: UUID | None, now: datetime, data: Mapping[str, str], *, fresh: bool) -> Change:
    """A referral was written down with it, or has come further."""
    return _touched(task, Line(Did.REFERRED if fresh else Did.MOVED, now, by, data))


def _touched(task: Task, line: Line) -> Change:
    return Change(replace(task, version=task.version + 1, touched=True), line)


def _ended(task: Task, state: TaskState, line: Line) -> Change:
    return Change(replace(task, state=state, ended_at=line.at, version=task.version + 1), line)
