"""Working hours, for teams whose promise counts only while somebody works: a choice, R72 counts all hours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.calendars import DAY_MINUTES, is_holiday, local_instant

WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a team works.

    Attributes:
        zone: IANA name of the zone in which the hours are kept.
        days: weekdays, 0 = Monday.
        opens: minute of the day at which work begins.
        closes: minute of the day at which it ends; up to 1440.
        country: whose public holidays are free: "SE", "DE-BY"; empty for none.

    Raises:
        ValueError: nobody would ever work, so a promise would never come due.
    """

    zone: str = "UTC"
    days: tuple[int, ...] = (0, 1, 2, 3, 4)
    opens: int = 9 * 60
    closes: int = 17 * 60
    country: str = ""

    def __post_init__(self) -> None:
        if not self.days or not set(self.days) <= set(range(7)):
            raise ValueError("choose at least one day of the week")
        if not 0 <= self.opens < self.closes <= DAY_MINUTES:
            raise ValueError("work must end after it begins, on the same day")


def add(calendar: Calendar | None, at: datetime, span: timedelta) -> datetime:
    """The instant at which so much working time has passed since `at`; without a calendar all hours count."""
    if calendar is None or span <= timedelta():
        return at + span
    left = span
    for opens, closes in _hours(calendar, at):
        start = max(at, opens)
        if closes <= start:
            continue
        if left <= closes - start:
            return start + left
        left -= closes - start
    raise AssertionError("years without a working hour")


def is_open(calendar: Calendar, at: datetime) -> bool:
    """Whether somebody works at an instant."""
    opens, closes = next(_hours(calendar, at), (at, at))
    return opens <= at < closes


def _hours(calendar: Calendar, since: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Working hours from the day of `since` on, for ten years."""
    zone = ZoneInfo(calendar.zone)
    first = since.astimezone(zone).date()
    for ahead in range(3660):
        day = first + timedelta(days=ahead)
        if day.weekday() in calendar.days and not is_holiday(calendar.country, day):
            yield local_instant(day, calendar.opens, zone), local_instant(day, calendar.closes, zone)
