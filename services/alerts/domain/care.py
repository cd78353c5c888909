"""How quickly cases are taken care of, read off their timelines (R72).

A case counts from its opening, and once more each time that it is opened again: every time somebody was
promised a contact anew. What a person took back within the quarter of an hour never was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.alerts.domain.clocks import Clock, Level
from services.alerts.domain.lengths import Lengths, lengths, merged, within
from services.alerts.domain.model import Kind
from shared.values import Value

KINDS = (
    Kind.OPENED, Kind.REOPENED, Kind.ACKNOWLEDGED, Kind.CONTACTED, Kind.RESOLVED, Kind.CLOSED, Kind.ESCALATED,
    Kind.UNDONE,
)  # fmt: skip
"""The lines of a timeline that tell."""
FEW = 10
"""Below so many cases nothing is said of nine in ten of them."""
_UNDOABLE = frozenset({"acknowledge", "contacted", "resolve", "accept"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline. `clock` and `level` of an escalation, `action` of what was taken back."""

    kind: Kind
    at: datetime
    clock: str = ""
    level: int = 0
    action: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """One time that a case was taken care of.

    Attributes:
        taken_at: when somebody took it; who speaks with the customer has taken it.
        resolved_at: when a person resolved it.
        ended_at: when it ended, or was opened again before its end; nothing more was to be done then.
        late: nobody had spoken with the customer within the time that was promised.
        unresolved: it was told that the days to resolve it were over.
        again: after its end it was opened again.
    """

    started_at: datetime
    taken_at: datetime | None = None
    contacted_at: datetime | None = None
    resolved_at: datetime | None = None
    ended_at: datetime | None = None
    late: bool = False
    unresolved: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Cared:
    """A round with whose case it is now."""

    team: str
    owner: UUID | None
    round: Round


Whom = tuple[str, UUID | None]
"""Whose cases are: a team, "" for the shared rota, and an owner, None for nobody."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long something takes, cases that still wait counted in.

    Attributes:
        n: cases in which it has happened.
        waiting: cases in which it has not, so far or at all.
        median: within which half of all cases have it; None while that cannot be known.
        most: within which nine in ten have it; None also for fewer than `FEW` cases.
    """

    n: int = 0
    waiting: int = 0
    median: timedelta | None = None
    most: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Care:
    """What rounds come to."""

    cases: int
    taken: Times
    contacted: Times
    resolved: Times
    late: int
    unresolved: int
    again: int


def rounds(lines: Iterable[Line]) -> list[Round]:
    """The rounds of one case, from its timeline in the order in which it was written."""
    found: list[Round] = []
    before: Round | None = None
    for line in lines:
        if line.kind in {Kind.OPENED, Kind.REOPENED}:
            if found:
                last = found[-1]
                found[-1] = replace(last, ended_at=last.ended_at or line.at, again=last.ended_at is not None)
            found.append(Round(line.at))
            before = None
        elif found and line.kind is Kind.UNDONE:
            if before is not None and line.action in _UNDOABLE:
                now = found[-1]
                found[-1], before = replace(before, late=now.late, unresolved=now.unresolved), None
        elif found:
            before = found[-1] if line.kind is not Kind.ESCALATED else before
            found[-1] = _after(found[-1], line)
    return found


def _after(one: Round, line: Line) -> Round:
    match line.kind:
        case Kind.ACKNOWLEDGED:
            return replace(one, taken_at=one.taken_at or line.at)
        case Kind.CONTACTED:
            return replace(one, taken_at=one.taken_at or line.at, contacted_at=one.contacted_at or line.at)
        case Kind.RESOLVED:
            return replace(one, resolved_at=line.at, ended_at=line.at)
        case Kind.CLOSED:
            return replace(one, ended_at=line.at)
        case _:
            late = line.clock == Clock.CONTACT and line.level >= Level.LATE
            overdue = line.clock == Clock.RESOLVE
            return replace(one, late=one.late or late, unresolved=one.unresolved or overdue)


class CareSum(Value, frozen=True, gc=False):
    """Rounds added up, in a form that can be added to others."""

    cases: int
    late: int
    unresolved: int
    again: int
    taken: Lengths
    contacted: Lengths
    resolved: Lengths


def summed(found: Sequence[Round], now: datetime) -> CareSum:
    """Add rounds up. Those that have ended come to the same at any time."""
    return CareSum(
        cases=len(found),
        late=sum(one.late for one in found),
        unresolved=sum(one.unresolved for one in found),
        again=sum(one.again for one in found),
        taken=_lengths([(one, one.taken_at) for one in found], now),
        contacted=_lengths([(one, one.contacted_at) for one in found], now),
        resolved=_lengths([(one, one.resolved_at) for one in found], now),
    )


def together(parts: Sequence[CareSum]) -> CareSum:
    """Add sums up."""
    if len(parts) == 1:
        return parts[0]
    return CareSum(
        cases=sum(one.cases for one in parts),
        late=sum(one.late for one in parts),
        unresolved=sum(one.unresolved for one in parts),
        again=sum(one.again for one in parts),
        taken=merged([one.taken for one in parts]),
        contacted=merged([one.contacted for one in parts]),
        resolved=merged([one.resolved for one in parts]),
    )


def told(found: CareSum) -> Care:
    """What a sum says."""
    return Care(
        cases=found.cases,
        taken=_times(found.taken),
        contacted=_times(found.contacted),
        resolved=_times(found.resolved),
        late=found.late,
        unresolved=found.unresolved,
        again=found.again,
    )


def care(found: Sequence[Round], now: datetime) -> Care:
    """What rounds come to."""
    return told(summed(found, now))


def times(found: Sequence[tuple[Round, datetime | None]], now: datetime) -> Times:
    """How long it takes from the start of a round to something, as Kaplan and Meier (1958) estimate it.

    A case that still waits, or ended without it, counts for as long as it was watched: to leave it out would
    make slow teams look fast.
    """
    return _times(_lengths(found, now))


def _lengths(found: Sequence[tuple[Round, datetime | None]], now: datetime) -> Lengths:
    return lengths(
        [at - one.started_at for one, at in found if at is not None],
        [(one.ended_at or now) - one.started_at for one, at in found if at is None],
    )


def _times(one: Lengths) -> Times:
    n, waiting = len(one.happened), len(one.waiting)
    median, most = within(one, 0.5, 0.9)
    return Times(n, waiting, median, most if n + waiting >= FEW else None)
