"""Working hours, for teams whose promise counts only while somebody works (a choice; R72 counts all hours).

Local times that do not exist move forward, of two the first counts.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

DAY_MINUTES = 24 * 60
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


def is_holiday(country: str, day: date) -> bool:
    """Whether a day is a public holiday in a country or its region; False for a country nobody knows."""
    code, _, part = country.partition("-")
    return code in _countries() and day in _holidays(code, part, day.year)


def knows(country: str) -> bool:
    """Whether the public holidays of a country, and of its region where one is named, are known."""
    code, _, part = country.partition("-")
    return code in _countries() and (not part or part in _countries()[code])


def _hours(calendar: Calendar, since: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Working hours from the day of `since` on, for ten years."""
    zone = ZoneInfo(calendar.zone)
    first = since.astimezone(zone).date()
    for ahead in range(3660):
        day = first + timedelta(days=ahead)
        if day.weekday() in calendar.days and not is_holiday(calendar.country, day):
            yield _instant(day, calendar.opens, zone), _instant(day, calendar.closes, zone)


def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    naive = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return naive.replace(tzinfo=zone, fold=0).astimezone(UTC)


@lru_cache(maxsize=512)
def _holidays(country: str, part: str, year: int) -> frozenset[date]:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UserWarning
        )  # of far years only fixed holidays are known; those count
        return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))


@lru_cache(maxsize=1)
def _countries() -> dict[str, list[str]]:
    return holidays.list_supported_countries()
