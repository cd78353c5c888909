"""Escalation policies: which steps there are while nobody takes a case, and when each is due (R72).

The steps run beside the clocks of the promise and never move them. They begin when the case does, end when
somebody takes it, and go on where they were when that is taken back. Spans are counted as the promise is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.alerts.domain.calendars import Calendar, add
from services.alerts.domain.priority import Priority

NONE = timedelta()


class Whom(StrEnum):
    """Whom a step may tell, beside people by their address and rooms by their kind."""

    ON_CALL = "on_call"
    NEXT_ON_CALL = "next_on_call"
    OWNER = "owner"
    MANAGER = "manager"
    LEADERSHIP = "leadership"
    ROOM = "room"


ROOM_KINDS = ("slack", "teams", "pagerduty", "webhook")
"""Rooms of which a step may name one kind alone."""


PERSON = "person"
"""Stands on timelines for somebody whom a policy names by their address."""
_IN_WORDS: dict[str, tuple[str, str]] = {
    Whom.ON_CALL: ("on call", "nobody is on call"),
    Whom.NEXT_ON_CALL: ("next on call", "nobody else comes next on call"),
    Whom.OWNER: ("the owner of the case", "the case has no owner"),
    Whom.MANAGER: ("manager", "there is no manager"),
    Whom.LEADERSHIP: ("leadership", "there is no leadership"),
    PERSON: ("named in the policy", "whom the policy names is not here"),
}


def code_of(whom: str) -> str:
    """Whom a step tells as it stands on timelines: not by their address."""
    return PERSON if "@" in whom else whom


def whom_in_words(whom: str) -> str:
    """As what somebody is told."""
    return _IN_WORDS[code_of(whom)][0]


def missing_in_words(whom: str) -> str:
    """That there is nobody like that."""
    return _IN_WORDS[code_of(whom)][1]


def is_room(whom: str) -> bool:
    """Whether a room is meant, not a person."""
    return whom == Whom.ROOM or whom in ROOM_KINDS


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """One step: after how long without anybody taking the case, and whom it tells.

    Attributes:
        tell: words of `Whom`, kinds of rooms, addresses of people.
    """

    after: timedelta
    tell: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EscalationPolicy:
    """What happens while nobody takes a case.

    Attributes:
        steps: in their order, each later than the one before; none: nothing happens.
        repeat: how often all of them are gone through again; each time begins when the last step was due.
        fall_back: who is told instead when a step reaches nobody, the first of whom there is somebody.
        least: the lowest priority of cases that it is for.
        all_hours: nights count too where the promise counts in working hours alone.
    """

    steps: tuple[EscalationStep, ...] = ()
    repeat: int = 0
    fall_back: tuple[str, ...] = (Whom.MANAGER, Whom.LEADERSHIP)
    least: Priority = Priority.NORMAL
    all_hours: bool = False


DEFAULT = EscalationPolicy(
    (
        EscalationStep(timedelta(minutes=15), (Whom.NEXT_ON_CALL,)),
        EscalationStep(timedelta(minutes=30), (Whom.MANAGER,)),
    ),
    repeat=1,
    least=Priority.URGENT,
)
"""For whoever configures nothing: an urgent case wakes a second person, then the manager, and once more."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of one round: the first round is 1, `place` is that of the step in the policy, from 1.

    `after` is counted from the beginning of the first round and so is unique within a run of a case.
    """

    round: int
    place: int
    after: timedelta
    tell: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Escalation:
    """How far one run of a case has come.

    Attributes:
        policy: that of the team when the case was opened, or opened again by a customer.
        since: from when on nobody has taken it; None: it rests until somebody else of the customer speaks.
        reached: `after` of the last rung that was told or passed over.
        moved_to: the team to which the case went meanwhile, whose steps these are; empty for its first one.
    """

    policy: EscalationPolicy
    since: datetime | None
    reached: timedelta = NONE
    moved_to: str = ""


def begin(policy: EscalationPolicy | None, at: datetime, moved_to: str = "") -> Escalation | None:
    """A case begins to wait for somebody; None where no steps are wanted."""
    if policy is None or not policy.steps:
        return None
    return Escalation(policy, at, moved_to=moved_to)


def rungs(policy: EscalationPolicy) -> Iterator[Rung]:
    """All steps of all rounds in their order."""
    for lap in range(policy.repeat + 1):
        for place, step in enumerate(policy.steps, 1):
            yield Rung(lap + 1, place, lap * policy.steps[-1].after + step.after, step.tell)


def next_due(one: Escalation, calendar: Calendar | None) -> tuple[Rung, datetime] | None:
    """The rung that comes next and when; None when all were told, or while it rests."""
    return next(_ahead(one, calendar), None)


def overdue(one: Escalation, calendar: Calendar | None, now: datetime) -> tuple[Rung, ...]:
    """The rungs whose time has come, in their order."""
    found: list[Rung] = []
    for rung, due_at in _ahead(one, calendar):
        if due_at > now:
            break
        found.append(rung)
    return tuple(found)


def told(one: Escalation, rung: Rung) -> Escalation:
    """Everything up to a rung is told."""
    return replace(one, reached=rung.after)


def rest(one: Escalation) -> Escalation:
    """The case is not grave enough: nothing is told until it may have become so."""
    return replace(one, since=None)


def wake(one: Escalation | None, at: datetime) -> Escalation | None:
    """The case may be graver now: one that rests begins to wait anew, with the steps not told yet."""
    return replace(one, since=at) if one is not None and one.since is None else one


def _ahead(one: Escalation, calendar: Calendar | None) -> Iterator[tuple[Rung, datetime]]:
    if one.since is None:
        return
    hours = None if one.policy.all_hours else calendar
    for rung in rungs(one.policy):
        if rung.after > one.reached:
            yield rung, add(hours, one.since, rung.after)
