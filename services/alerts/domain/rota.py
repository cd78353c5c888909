"""Who is on call: an ordered list of people, a weekly hand-over in local time, and overrides."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.alerts.domain.calendars import Calendar

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody else is on call from `starts_at` (included) to `ends_at` (not included)."""

    id: UUID
    user_id: UUID
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Rota:
    """A weekly rota.

    Attributes:
        members: in the order of their weeks.
        starts_on: the day of the first member's first hand-over; its weekday is that of all hand-overs.
        hour: local hour of the hand-over.
        zone: IANA name of the zone in which the hand-over is kept.
        calendar: the working hours in which the team promises a contact; None: all hours count.
    """

    members: tuple[UUID, ...] = ()
    starts_on: date = date(2024, 1, 1)
    hour: int = 9
    zone: str = "UTC"
    overrides: tuple[Override, ...] = ()
    version: int = 0
    calendar: Calendar | None = None

    @property
    def weekday(self) -> int:
        """0 = Monday."""
        return self.starts_on.weekday()


@dataclass(frozen=True, slots=True)
class Shift:
    """Who is on call and until when."""

    user_id: UUID
    starts_at: datetime
    ends_at: datetime
    override: bool = False


def on_call(rota: Rota, at: datetime, active: Collection[UUID]) -> Shift | None:
    """Who is on call at an instant; None when the rota has nobody, and all managers are asked.

    People who are no longer active are passed over: their week falls to the next in the list.
    """
    override = _override(rota, at, active)
    if override is not None:
        return Shift(override.user_id, override.starts_at, override.ends_at, override=True)
    week = _week(rota, at)
    member = _member(rota, week, active)
    if member is None:
        return None
    return Shift(member, *_bounds(rota, week, at, active))


def following(rota: Rota, shift: Shift, active: Collection[UUID]) -> Shift | None:
    """Who comes after a shift."""
    return on_call(rota, shift.ends_at, active)


def _override(rota: Rota, at: datetime, active: Collection[UUID]) -> Override | None:
    """The override that began last wins, so a short one inside a long one counts."""
    running = [o for o in rota.overrides if o.starts_at <= at < o.ends_at and o.user_id in active]
    return max(running, key=lambda o: (o.starts_at, str(o.id)), default=None)


def _bounds(rota: Rota, week: int, at: datetime, active: Collection[UUID]) -> tuple[datetime, datetime]:
    starts_at, ends_at = _hand_over(rota, week), _hand_over(rota, week + 1)
    for o in rota.overrides:
        if o.user_id in active:
            starts_at = max(starts_at, o.ends_at) if o.ends_at <= at else starts_at
            ends_at = min(ends_at, o.starts_at) if o.starts_at > at else ends_at
    return starts_at, ends_at


def _member(rota: Rota, week: int, active: Collection[UUID]) -> UUID | None:
    size = len(rota.members)
    turns = (rota.members[(week + offset) % size] for offset in range(size))
    return next((user_id for user_id in turns if user_id in active), None)


def _hand_over(rota: Rota, week: int) -> datetime:
    day = rota.starts_on + week * WEEK
    return datetime.combine(day, time(rota.hour), ZoneInfo(rota.zone)).astimezone(UTC)


def _week(rota: Rota, at: datetime) -> int:
    """The number of the week whose hand-over was last; compared in UTC, so a changed hour is no surprise."""
    week = (at.astimezone(ZoneInfo(rota.zone)).date() - rota.starts_on) // WEEK
    return week if at >= _hand_over(rota, week) else week - 1
