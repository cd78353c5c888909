"""The clocks of a ticket (R72): contact within 24 hours, nobody waits beyond 48, nothing sleeps.

All spans are counted in UTC hours, so a change to summer time neither gives nor takes an hour. A team may
choose that only its working hours count towards the contact; the days to resolve are those of the calendar.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from services.alerts.domain import escalation
from services.alerts.domain.calendars import Calendar, add
from services.alerts.domain.escalation import Escalation


class Clock(StrEnum):
    """What is being waited for; the value is the label of metrics and events."""

    CONTACT = "contact"
    RESOLVE = "resolve"
    FOLLOW_UP = "follow_up"
    UNCONFIRMED = "unconfirmed"
    UNTAKEN = "untaken"


class Level(IntEnum):
    """How far up a late ticket has gone. Only LATE and LEADERSHIP are breaches."""

    NONE = 0
    REMINDER = 1
    LATE = 2
    LEADERSHIP = 3


SHARE = {Level.REMINDER: 0.5, Level.LATE: 1.0, Level.LEADERSHIP: 2.0}
"""When each level is told, as a share of the time within which somebody is to be contacted."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a ticket's clocks, from its opening or reopening on.

    Attributes:
        generation: 1 for the first run; each reopening starts the next.
        told: highest level of the contact clock told so far.
        resolve_told: whether it was told that the case is still not resolved.
        contacted_at: when somebody spoke with the customer; the only thing that stops the contact clock.
        calendar: the working hours in which the contact was promised; None: all hours count.
        follow_up_at: when the customer is to hear from us again, as promised to them.
        escalation: the steps while nobody takes the case; None: there are none.
    """

    generation: int
    started_at: datetime
    contact_within: timedelta
    resolve_due_at: datetime
    told: Level = Level.NONE
    resolve_told: bool = False
    contacted_at: datetime | None = None
    follow_up_at: datetime | None = None
    calendar: Calendar | None = None
    escalation: Escalation | None = None

    @property
    def contact_due_at(self) -> datetime:
        """When somebody must have spoken with the customer."""
        return self.due_at(Level.LATE)

    def due_at(self, level: Level) -> datetime:
        """When a level of the contact clock is due."""
        return add(self.calendar, self.started_at, self.contact_within * SHARE[level])


@dataclass(frozen=True, slots=True)
class Timer:
    """The next moment at which a clock has something to say."""

    clock: Clock
    level: Level
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Ring:
    """A clock that ran out and is to be told; `skipped` levels were overdue too and stay silent."""

    clock: Clock
    level: Level
    due_at: datetime
    skipped: tuple[Level, ...] = ()


def start(
    generation: int,
    at: datetime,
    contact_within: timedelta,
    resolve_within: timedelta,
    calendar: Calendar | None = None,
    steps: Escalation | None = None,
) -> Run:
    """Begin a run: the ticket was opened, reopened or released at `at`."""
    return Run(generation, at, contact_within, at + resolve_within, calendar=calendar, escalation=steps)


def timers(run: Run, *, untaken: bool = False) -> tuple[Timer, ...]:
    """The next alarm of each clock that still runs, of a ticket that is not closed.

    `untaken`: nobody has taken it, so that the steps of its escalation policy run.
    """
    found: list[Timer] = []
    if run.contacted_at is None and run.told < Level.LEADERSHIP:
        level = Level(run.told + 1)
        found.append(Timer(Clock.CONTACT, level, run.due_at(level)))
    if not run.resolve_told:
        found.append(Timer(Clock.RESOLVE, Level.LATE, run.resolve_due_at))
    if run.follow_up_at is not None:
        found.append(Timer(Clock.FOLLOW_UP, Level.REMINDER, run.follow_up_at))
    if untaken and run.escalation is not None:
        step = escalation.next_due(run.escalation, run.calendar)
        if step is not None:
            found.append(Timer(Clock.UNTAKEN, Level.NONE, step[1]))
    return tuple(found)


def ring(run: Run, now: datetime) -> tuple[Run, tuple[Ring, ...]]:
    """Tell what is due at `now`.

    After an outage several levels may be overdue: only the highest is told, the lower ones never will be.

    Returns:
        The run with these alarms told, and at most one ring of each clock.
    """
    rings: list[Ring] = []
    overdue = _overdue(run, now)
    if overdue:
        highest = overdue[-1]
        rings.append(Ring(Clock.CONTACT, highest, run.due_at(highest), overdue[:-1]))
        run = replace(run, told=highest)
    if not run.resolve_told and now >= run.resolve_due_at:
        rings.append(Ring(Clock.RESOLVE, Level.LATE, run.resolve_due_at))
        run = replace(run, resolve_told=True)
    if run.follow_up_at is not None and now >= run.follow_up_at:
        rings.append(Ring(Clock.FOLLOW_UP, Level.REMINDER, run.follow_up_at))
        run = replace(run, follow_up_at=None)
    return run, tuple(rings)


def hurry(run: Run, other: Run) -> Run:
    """A further voice joins a case: the earlier contact deadline counts, what was told stays told."""
    if run.contacted_at is not None or other.contact_due_at >= run.contact_due_at:
        return run
    return replace(
        run, started_at=other.started_at, contact_within=other.contact_within, calendar=other.calendar
    )


def _overdue(run: Run, now: datetime) -> tuple[Level, ...]:
    if run.contacted_at is not None:
        return ()
    return tuple(level for level in SHARE if level > run.told and now >= run.due_at(level))
