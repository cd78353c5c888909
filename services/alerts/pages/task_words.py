"""What the pages of tasks show, put together from rows and opened for the one who looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.alerts.domain import words
from services.alerts.domain.referrals import Referral
from services.alerts.domain.task_kinds import TaskKind, kind_of
from services.alerts.domain.tasks import Did, Task, TaskState
from services.alerts.handlers import opening
from services.alerts.handlers.applying import Desk
from services.alerts.pages.views import Due, due
from services.alerts.store import referrals, rota, task_views
from services.alerts.store.task_views import LeftOut, Said, TaskLine
from shared.contracts.model import Person
from shared.contracts.responses import Mood
from shared.db.database import Connection

STATES: Mapping[TaskState, tuple[str, str]] = {
    TaskState.OPEN: ("Open", "neutral"),
    TaskState.DONE: ("Done", "ok"),
    TaskState.DECLINED: ("Not wanted", "neutral"),
    TaskState.DROPPED: ("Fell away", "neutral"),
}
"""Each state in a word, with the look of its badge."""
REASONS = {
    "erased": "the person was erased",
    "nobody": "nobody knows who answered",
    "expired": "the answer was old when it came",
    "open": "one is open for them already",
    "lately": "they were asked for it lately",
}
_WHY = {
    "withdrawn": "the answer was taken back",
    "held": "the answer may be a machine's",
    "erased": "the person was erased",
    "unhappy": "they are unhappy now",
    "passive": "they changed their answer",
    "happy": "they changed their answer",
    "takes_part": "they want to take part in an improvement",
}
_DID = {
    Did.OPENED: "Opened by the customer",
    Did.REVIVED: "Open again, as the answer counts again",
    Did.DROPPED: "Fell away",
    Did.DOUBTED: "Look at the answer again",
    Did.DONE: "{by} did it",
    Did.DECLINED: "{by}: not wanted",
    Did.NOTED: "{by} noted",
    Did.ASSIGNED: "{by} gave it to {to}",
    Did.REOPENED: "{by} opened it again",
    Did.REFERRED: "{by} wrote down whom they recommended us to",
    Did.MOVED: "{by}: a recommendation is now {state}",
    Did.QUOTABLE: "Their answer now allows that its words are published",
    Did.UNQUOTABLE: "Their answer no longer allows that its words are published: take them down",
}
_SPOKEN = {
    Did.QUOTABLE: "{by}: they agree that their words are published",
    Did.UNQUOTABLE: "{by}: they no longer agree that their words are published. Take them down",
}
"""The same where they said so by word."""
_REFERRALS = {"sent": "Recommended", "lead": "Interested", "won": "Customer", "lost": "Not interested"}
_STEPS = {
    "sent": ("lead", "won", "lost"),
    "lead": ("won", "lost", "sent"),
    "won": ("lead",),
    "lost": ("lead",),
}
_PRESS = {
    "sent": "Not a lead after all",
    "lead": "They are interested",
    "won": "They bought",
    "lost": "No interest",
}


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task as lists and its page show it."""

    task: Task
    kind: TaskKind
    due: Due | None
    person: Person
    who: str
    account: str
    tier: str
    score: str
    scale: str
    happy: bool
    owner: str
    state: tuple[str, str]
    case: UUID | None


@dataclass(frozen=True, slots=True)
class LeftOutRow:
    """An answer without the task that was asked for."""

    at: datetime
    title: str
    who: str
    account: str
    reason: str


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of a task's timeline."""

    at: datetime
    text: str
    note: str


@dataclass(frozen=True, slots=True)
class ReferralRow:
    """A referral with what may be pressed: pairs of state and words."""

    referral: Referral
    who: str
    state: str
    steps: tuple[tuple[str, str], ...]


async def rows(desk: Desk, conn: Connection, found: Sequence[TaskLine], now: datetime) -> list[TaskRow]:
    """The lines of a list."""
    people = await opening.people(desk.sealer, conn, [(line.known_as, line.person) for line in found])
    names = await rota.names(conn)
    return [
        TaskRow(
            task=line.task,
            kind=kind_of(line.task.kind, desk.roster.tasks),
            due=due(line.task.due_at, now, "to do it") if line.task.is_open else None,
            person=person,
            who=person.name or person.email or "Erased contact",
            account=line.account_name,
            tier=f"{line.tier} account" if line.tier in {"key", "premium"} else "",
            score=words.score(line.score, line.scale),
            scale=words.scale_short(line.scale),
            happy=line.task.mood is Mood.HAPPY,
            owner=_owner(line.task, names),
            state=STATES[line.task.state],
            case=line.case,
        )
        for line, person in zip(found, people, strict=True)
    ]


async def left_out(desk: Desk, conn: Connection, found: Sequence[LeftOut]) -> list[LeftOutRow]:
    """Answers without a task."""
    people = await opening.people(desk.sealer, conn, [(one.known_as, one.person) for one in found])
    return [
        LeftOutRow(
            one.at,
            kind_of(one.kind, desk.roster.tasks).title,
            person.name or person.email or "Erased contact" if one.person else "Somebody",
            one.account_name,
            REASONS[one.reason],
        )
        for one, person in zip(found, people, strict=True)
    ]


async def history(desk: Desk, conn: Connection, task: Task) -> list[LineRow]:
    """What happened to a task, the newest first."""
    found = await task_views.said(conn, task.id)
    notes = await opening.notes(desk.sealer, conn, [(one.contact_id, one.note) for one in found])
    names = await rota.names(conn)
    return [LineRow(one.at, _said(one, names), note) for one, note in zip(found, notes, strict=True)]


async def recommended(desk: Desk, conn: Connection, found: Sequence[Referral]) -> list[ReferralRow]:
    """Referrals with the names of those to whom we were recommended."""
    who = await opening.notes(desk.sealer, conn, [(one.contact_id, one.who) for one in found])
    return [
        ReferralRow(
            one,
            name or one.reference,
            _REFERRALS[one.state.value],
            tuple((step, _PRESS[step]) for step in _STEPS[one.state.value]),
        )
        for one, name in zip(found, who, strict=True)
    ]


async def of_task(desk: Desk, conn: Connection, task_id: UUID) -> list[ReferralRow]:
    """The referrals of one task."""
    return await recommended(desk, conn, await referrals.of_task(conn, task_id))


def _owner(task: Task, names: Mapping[UUID, str]) -> str:
    if task.owner.user_id is None:
        return "Nobody yet"
    return names.get(task.owner.user_id, "Somebody who has left")


def _said(one: Said, names: Mapping[UUID, str]) -> str:
    did = Did(one.did)
    spoken = one.data.get("how") == "word"
    nobody = "A program" if spoken else "Afterword"
    by = names.get(one.by, "Somebody who has left") if one.by else nobody
    to = names.get(UUID(one.data["to"]), "somebody who has left") if one.data.get("to") else "all managers"
    state = _REFERRALS.get(one.data.get("state", ""), "").lower()
    text = (_SPOKEN if spoken else _DID)[did].format(by=by, to=to, state=state)
    why = _WHY.get(one.data.get("why", ""), "")
    return f"{text}: {why}" if why else text
