"""When something is due at the recipient: calendar delays, send windows, holidays (R46, R47).

Local times that do not exist move forward, ambiguous ones take the first; nothing is ever early.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from babel.core import get_global

from shared.calendars import DAY_MINUTES, is_holiday, knows, local_instant

_SPAN = re.compile(r"(\d{1,4})(h|d|mo|y)")
_AHEAD = timedelta(days=60)
_A_DAY = timedelta(days=1)
_HOURS_TWO = re.compile(r"(\d{2}):(\d{2})\s*-\s*(\d{2}):(\d{2})")

_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Span:
    """A delay in the recipient's calendar: months and days keep the local time of day, hours are exact."""

    months: int = 0
    days: int = 0
    hours: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2h`, `14d`, `3mo` or `1y`.

        Raises:
            ValueError: It is something else.
        """
        found = _SPAN.fullmatch(text.strip())
        if not found:
            raise ValueError(f"{text!r} is not a span; write a number and h, d, mo or y, for example 14d")
        number, unit = int(found[1]), found[2]
        return cls(
            months={"mo": number, "y": 12 * number}.get(unit, 0),
            days=number if unit == "d" else 0,
            hours=number if unit == "h" else 0,
        )

    @property
    def rough(self) -> timedelta:
        """About how long it is, for comparisons between rules: a month counts 30 days."""
        return timedelta(days=30 * self.months + self.days, hours=self.hours)

    @property
    def text(self) -> str:
        """How it is written in a programme."""
        return next((f"{n}{u}" for n, u in ((self.months, "mo"), (self.days, "d")) if n), f"{self.hours}h")


class Window(NamedTuple):
    """When a message may reach somebody, in the recipient's local time.

    `opens` and `closes` in minutes of the day. A tuple, as caches by window are asked all the time.
    """

    days: frozenset[int]
    opens: int
    closes: int
    skip_holidays: bool = True


ACCEPTABLE = Window(frozenset(range(7)), 8 * 60, 20 * 60, skip_holidays=False)
"""Hours in which a message outside its window is still decent."""


def parse_hours(text: str) -> tuple[int, int]:
    """Read `09:30-16:00` as minutes of the day.

    Raises:
        ValueError: It is no such range, or it is empty.
    """
    found = _HOURS_TWO.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no range of hours; write for example 09:30-16:00")
    opens, closes = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if int(found[2]) > 59 or int(found[4]) > 59 or not 0 <= opens < closes <= DAY_MINUTES:  # noqa: PLR2004 - minutes
        raise ValueError(f"{text!r} must start before it ends, within 00:00-24:00")
    return opens, closes


def add_span(at: datetime, span: Span, zone: ZoneInfo) -> datetime:
    """`at` plus a span in the calendar of a zone; a month's missing day becomes its last one."""
    if span.months:
        local = at.astimezone(zone)
        day = on_day(local.date(), span)
        moved = datetime.combine(day, local.time(), zone).replace(fold=0).astimezone(UTC)
    elif span.days:
        # Adding to a local time moves its clock and forgets which of two equal times it was.
        moved = (at.astimezone(zone) + timedelta(days=span.days)).astimezone(UTC)
    else:
        moved = at.astimezone(UTC)
    return moved + timedelta(hours=span.hours) if span.hours else moved


@lru_cache(maxsize=1024)
def at_most(span: Span) -> timedelta:
    """A length that a span never exceeds, whatever months it meets and whatever clocks change."""
    return timedelta(days=31 * span.months + span.days + 1, hours=span.hours)


@lru_cache(maxsize=8192)
def end_of(at: datetime, span: Span, zone: ZoneInfo) -> datetime:
    """What `add_span` gives, remembered: caps look at the ends of the same asks again and again."""
    return add_span(at, span, zone)


def on_day(day: date, span: Span) -> date:
    """The day that lies a span's months and days after another; a month's missing day becomes its last."""
    return _add_months(day, span.months) + timedelta(days=span.days)


def days_before(day: date, span: Span, zone: ZoneInfo) -> datetime:
    """The first acceptable minute, at the recipient, of the day that lies a span before a date."""
    start = _add_months(day, -span.months) - timedelta(days=span.days)
    return local_instant(start, ACCEPTABLE.opens, zone) - timedelta(hours=span.hours)


def next_in_window(at: datetime, window: Window, zone: ZoneInfo, country: str = "") -> datetime | None:
    """The first instant not before `at` inside a window, or None when there is none within two months."""
    today = at.astimezone(zone).date()
    found = _opening(today, window, zone, country)
    if found and found[1] <= at:
        found = _opening(today + _A_DAY, window, zone, country)
    if found is None or found[2] - today >= _AHEAD:
        return None
    return max(at, found[0])


def opens_on(day: date, window: Window, country: str) -> bool:
    """Whether a window opens at all on a day in a country."""
    return day.weekday() in window.days and not (window.skip_holidays and is_holiday(country, day))


@lru_cache(maxsize=16384)
def _opening(
    day: date, window: Window, zone: ZoneInfo, country: str
) -> tuple[datetime, datetime, date] | None:
    """When a window opens for the first time from a day on, until when, and on which day.

    Remembered: most plans of a day look for the same hours.
    """
    last = day + _AHEAD
    while day < last:
        if opens_on(day, window, country):
            opens = local_instant(day, window.opens, zone)
            closes = local_instant(day, window.closes, zone)
            if opens < closes:
                return opens, closes, day
        day += _A_DAY
    return None


@dataclass(frozen=True, slots=True)
class Slot:
    """When to send, and whether that lies inside the programme's window."""

    at: datetime
    inside: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a recipient is: zone for the clock, country for public holidays ("" = unknown, none kept)."""

    zone: ZoneInfo
    country: str = ""


def choose_slot(
    at: datetime, stale_at: datetime, window: Window | None, place: Place, *, outside_before_stale: bool
) -> Slot | None:
    """When to send a message that may go from `at` on and is worthless from `stale_at` on.

    Args:
        at: Earliest instant.
        stale_at: First instant that is too late.
        window: None = at any time.
        place: The recipient's.
        outside_before_stale: Rather send outside the window, at an acceptable hour, than not at all.

    Returns:
        None when there is no instant in time.
    """
    if window is None:
        return Slot(at, inside=True) if at < stale_at else None
    inside = next_in_window(at, window, place.zone, place.country)
    if inside is not None and inside < stale_at:
        return Slot(inside, inside=True)
    if outside_before_stale:
        outside = next_in_window(at, ACCEPTABLE, place.zone)
        if outside is not None and outside < stale_at:
            return Slot(outside, inside=False)
    return None


def country_of(zone: str, region: str = "") -> str:
    """Country, with its region where that has holidays of its own, in whose holidays nobody is asked.

    ISO codes, as `SE` or `ES-CT`; "" when neither region nor zone tells it.
    """
    written = region.strip().upper()
    told = written if _REGION.fullmatch(written) else ""
    candidates = (told, told[:2], str(get_global("zone_territories").get(zone, "")))
    return next((one for one in candidates if one and knows(one)), "")


def _add_months(day: date, months: int) -> date:
    if not months:
        return day
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise ValueError(f"no day {day.day} in {year}-{month + 1}")  # pragma: no cover - day 28 is in every month
