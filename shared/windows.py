"""Send windows: when a message may reach somebody, in their own time and around their holidays (R46, R47).

The same for whoever plans a message and for whoever brings it late. Nothing is ever early.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.calendars import is_holiday, local_instant

_AHEAD = timedelta(days=60)
_A_DAY = timedelta(days=1)


class Window(NamedTuple):
    """When a message may reach somebody, in the recipient's local time.

    `opens` and `closes` in minutes of the day. A tuple, as caches by window are asked all the time.
    """

    days: frozenset[int]
    opens: int
    closes: int
    skip_holidays: bool = True


_REMEMBERED = 4096
_lately: dict[tuple[Window, ZoneInfo, str], tuple[datetime, datetime, datetime]] = {}
"""Hours that were looked for last, by where: since when they are the next, when they open and close."""

ACCEPTABLE = Window(frozenset(range(7)), 8 * 60, 20 * 60, skip_holidays=False)
"""Hours in which a message outside its window is still decent."""


def next_in_window(at: datetime, window: Window, zone: ZoneInfo, country: str = "") -> datetime | None:
    """The first instant not before `at` inside a window, or None when there is none within two months."""
    where = (window, zone, country)
    known = _lately.get(where)
    # From the instant at which hours were found to be the next, until they close, they are.
    if known is not None and known[0] <= at < known[2]:
        return max(at, known[1])
    today = at.astimezone(zone).date()
    found = _opening(today, window, zone, country)
    if found and found[1] <= at:
        found = _opening(today + _A_DAY, window, zone, country)
    if found is None or found[2] - today >= _AHEAD:
        return None
    if len(_lately) >= _REMEMBERED:
        _lately.clear()
    _lately[where] = (at, found[0], found[1])
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
