"""Tables that are put into a folder by themselves: when they are due, which may go there, of which days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from services.scoring.domain.asking import Span
from services.scoring.domain.digest import Day
from services.scoring.domain.tables import SHAPES, Needed, Table
from services.scoring.domain.windows import Window, before, span_of
from shared.partners.retry import wait_after

_FIRST = timedelta(seconds=30)
_MOST = timedelta(hours=1)
_WEEK = 7

FILEABLE: Sequence[Table] = tuple(
    table for table, shape in SHAPES.items() if not shape.of_programme and shape.needed is not Needed.ANSWERS
)
"""Tables of the whole house without words and persons: what lies in a folder no erasure reaches."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Day of the week, or None for each day, and the hour of UTC."""

    day: Day | None
    hour: int


@dataclass(frozen=True, slots=True)
class Days:
    """The days that files of a day tell of, whole ones, and those they are compared with."""

    now: Span
    before: Span | None


def fileable(names: Iterable[str]) -> tuple[Table, ...]:
    """The tables of some names.

    Raises:
        ValueError: one of them is none, or does not belong into a folder; the message names those that do.
    """
    known = {table.value: table for table in FILEABLE}
    wanted = list(dict.fromkeys(names))
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(
            f"{', '.join(unknown)}: no table, or one with words or persons, or of one programme; "
            f"choose among {', '.join(known)}"
        )
    return tuple(known[name] for name in wanted)


def due_day(now: datetime, schedule: Schedule) -> date:
    """The newest day whose files are due; where nothing ran on it they are written when it runs again."""
    local = now.astimezone(UTC)
    newest = local.date() if local.time() >= time(schedule.hour) else local.date() - timedelta(days=1)
    if schedule.day is None:
        return newest
    return newest - timedelta(days=(newest.weekday() - list(Day).index(schedule.day)) % _WEEK)


def days_of(day: date, window: Window) -> Days:
    """The days that files of a day tell of: up to the one before, which is over."""
    span = span_of(window, day - timedelta(days=1))
    return Days(span, before(span, window))


def due_place(day: date, name: str) -> tuple[str, str]:
    """Where a file stands in a list of the newest first."""
    return f"{(date.max - day).days:07}", name


def next_attempt(attempts: int) -> timedelta:
    """How long to wait after a file could not be written; it is tried until the next one is due."""
    return wait_after(attempts, first=_FIRST, most=_MOST)
