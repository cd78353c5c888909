"""Instants as people read them: in their own zone and language."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_decimal, format_percent

from shared.web import i18n

Style = Literal["short", "medium", "long", "full"]
SOON = timedelta(hours=4)
_EXACT, _HALF = 1e9, 1e-5
"""Below the one, and farther than the other from the middle of two roundings, binary and decimal agree."""


def babel_locale(tag: str) -> Locale:
    """How dates and numbers are written: plain English as Europe writes it, 24 hours and day before month."""
    return i18n.babel_locale("en-GB" if tag == "en" else tag)


def zone_of(name: str | None) -> ZoneInfo:
    """The zone of this IANA name; UTC for one that is unknown."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def instant(at: datetime, zone: str, locale: str, style: Style = "medium") -> str:
    """Date and time, with the zone's short name: `3 Mar 2026, 10:00 CET`."""
    local = at.astimezone(zone_of(zone))
    date = format_date(local.date(), style, locale=babel_locale(locale))
    return f"{date}, {format_time(local, 'short', locale=babel_locale(locale))} {local.tzname()}"


def day(at: datetime, zone: str, locale: str, style: Style = "medium") -> str:
    """The date alone."""
    text: str = format_date(at.astimezone(zone_of(zone)).date(), style, locale=babel_locale(locale))
    return text


def clock_time(at: datetime, zone: str, locale: str) -> str:
    """The time of day alone."""
    text: str = format_time(at.astimezone(zone_of(zone)), "short", locale=babel_locale(locale))
    return text


def span(length: timedelta, locale: str) -> str:
    """A span in its two largest units: `3 hours 20 minutes`; under a minute counts as one."""
    minutes = max(1, round(abs(length).total_seconds() / 60))
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    units: list[tuple[Literal["day", "hour", "minute"], timedelta]] = [
        ("day", timedelta(days=days)),
        ("hour", timedelta(hours=hours)),
        ("minute", timedelta(minutes=minutes)),
    ]
    first = next(position for position, (_, part) in enumerate(units) if part)
    return " ".join(
        format_timedelta(part, granularity=unit, threshold=10_000, locale=babel_locale(locale))
        for unit, part in units[first : first + 2]
        if part
    )


@dataclass(frozen=True, slots=True)
class Countdown:
    """How long until a deadline, or how long past it; `state` is a badge's: ok, warn, danger."""

    left: timedelta
    state: Literal["ok", "warn", "danger"]
    length: str

    @property
    def overdue(self) -> bool:
        """Whether the deadline has passed."""
        return self.state == "danger"


def countdown(due_at: datetime, now: datetime, locale: str, soon: timedelta = SOON) -> Countdown:
    """The time to a deadline in words; `warn` from `soon` before it, `danger` after it."""
    left = due_at - now
    state: Literal["ok", "warn", "danger"] = (
        "danger" if left <= timedelta(0) else "warn" if left <= soon else "ok"
    )
    return Countdown(left, state, span(left, locale))


def number(value: float, locale: str, digits: int = 0) -> str:
    """A number in the language's own notation."""
    return _number(_shown(value, digits), locale, digits)


@lru_cache(maxsize=8192)
def _number(value: float, locale: str, digits: int) -> str:
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    text: str = format_decimal(value, pattern, locale=babel_locale(locale))
    return text


def signed(value: float, locale: str, digits: int = 0) -> str:
    """A number with its sign, as an NPS is written; the minus is a real one."""
    text = number(abs(value), locale, digits)
    rounded = round(value, digits)
    return f"+{text}" if rounded > 0 else f"\N{MINUS SIGN}{text}" if rounded < 0 else text


def percent(share: float, locale: str, digits: int = 0) -> str:
    """A share of 1 as a percentage."""
    return _percent(_shown(share, digits + 2), locale, digits)


def _shown(value: float, digits: int) -> float:
    """A value as far as it is shown, rounded as the language's notation would: few texts are made anew."""
    if isinstance(value, int):
        return value
    scaled = abs(value) * 10**digits
    if scaled < _EXACT and abs(scaled % 1 - 0.5) > _HALF:
        return round(value, digits) + 0.0  # a nought has no minus
    return float(Decimal(str(value)).quantize(Decimal(1).scaleb(-digits))) + 0


@lru_cache(maxsize=8192)
def _percent(share: float, locale: str, digits: int) -> str:
    language = babel_locale(locale)
    pattern = language.percent_formats[None].pattern
    if digits:
        pattern = pattern.replace("##0", "##0." + "0" * digits)
    text: str = format_percent(share, pattern, locale=language)
    return text
