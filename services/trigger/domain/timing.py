"""When something is due at the recipient: calendar delays, and what is written of send windows (R46, R47).

Local times that do not exist move forward, ambiguous ones take the first; nothing is ever early.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from babel.core import get_global

from shared.calendars import DAY_MINUTES, knows, local_instant
from shared.windows import ACCEPTABLE

_LONGEST = timedelta(days=3660)
_SPAN = re.compile(r"(\d{1,4})(h|d|mo|y)")
_HOURS_TWO = re.compile(r"(\d{2}):(\d{2})\s*-\s*(\d{2}):(\d{2})")

_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")

EARLIEST_ZONE = ZoneInfo("Etc/GMT-14")
"""Where every date begins first: an audience is resolved before the day begins anywhere."""

LATEST_ZONE = ZoneInfo("Etc/GMT+12")
"""Where every date ends last: no audience is given up before the day is over everywhere."""

_CLOCKS_CHANGE = timedelta(hours=3)
"""More than two clocks ever change against each other."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Span(NamedTuple):
    """A delay in the recipient's calendar: months and days keep the local time of day, hours are exact.

    A tuple, as what is remembered by span is asked for all the time.
    """

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
        span = cls(
            months={"mo": number, "y": 12 * number}.get(unit, 0),
            days=number if unit == "d" else 0,
            hours=number if unit == "h" else 0,
        )
        if span.rough > _LONGEST:
            raise ValueError(f"{text!r} is too long; write 10y at most")
        return span

    @property
    def rough(self) -> timedelta:
        """About how long it is, for comparisons between rules: a month counts 30 days."""
        return timedelta(days=30 * self.months + self.days, hours=self.hours)

    @property
    def text(self) -> str:
        """How it is written in a programme."""
        return next((f"{n}{u}" for n, u in ((self.months, "mo"), (self.days, "d")) if n), f"{self.hours}h")


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
        moved = at if at.tzinfo is UTC else at.astimezone(UTC)
    return moved + timedelta(hours=span.hours) if span.hours else moved


def anywhere(at: datetime, span: Span) -> tuple[datetime, datetime]:
    """When a span after an instant ends at the earliest and at the latest, wherever on earth somebody is.

    The date differs by zone, and with it the length of a month.
    """
    if not (span.months or span.days):
        end = at + timedelta(hours=span.hours)
        return end, end
    day, last = at.astimezone(LATEST_ZONE).date(), at.astimezone(EARLIEST_ZONE).date()
    lengths = []
    while day <= last:
        lengths.append(on_day(day, span) - day)
        day += timedelta(days=1)
    then = at + timedelta(hours=span.hours)
    return then + min(lengths) - _CLOCKS_CHANGE, then + max(lengths) + _CLOCKS_CHANGE


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
