"""Times and scores as people say them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.contracts.forms import SCALES, QuestionType

_WHOLE_DAYS_FROM = 7
_DAYS_FROM = 48  # people who promised 24 hours count in hours
_NAMES = {
    QuestionType.NPS: "would recommend us",
    QuestionType.NPS5: "would recommend us",
    QuestionType.CSAT: "satisfaction",
    QuestionType.CES: "ease",
    QuestionType.YES_NO: "asked yes or no",
}
_SHORT = {
    QuestionType.NPS: "NPS",
    QuestionType.NPS5: "NPS",
    QuestionType.CSAT: "CSAT",
    QuestionType.CES: "CES",
    QuestionType.YES_NO: "Yes or no",
}


def span(length: timedelta) -> str:
    """A span in its two largest units: "3 h 20 min", "36 h", "2 d 4 h", "under a minute"."""
    minutes = int(abs(length) / timedelta(minutes=1))
    hours, minutes = divmod(minutes, 60)
    if hours >= _DAYS_FROM:
        days, hours = divmod(hours, 24)
        hours = 0 if days >= _WHOLE_DAYS_FROM else hours
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else "under a minute"


def left(due_at: datetime, now: datetime) -> str:
    """How long until, or since, a deadline."""
    return f"{span(now - due_at)} late" if now >= due_at else f"{span(due_at - now)} left"


def ago(at: datetime, now: datetime) -> str:
    """How long ago something was."""
    return "just now" if abs(now - at) < timedelta(minutes=1) else f"{span(now - at)} ago"


def moment(at: datetime, zone: str) -> str:
    """A moment on the clock of a zone: "Tue 3 Mar, 14:05 CET"; as it is given where there is no such zone."""
    try:
        local = at.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        local = at
    return f"{local:%a} {local.day} {local:%b, %H:%M %Z}"


def plain(code: str) -> str:
    """A code as words: "support_ticket.resolved" is "support ticket resolved"."""
    return code.replace(".", " ").replace("_", " ")


def score(value: int | None, scale: QuestionType) -> str:
    """A score on its scale: "3 of 10"."""
    if value is None:
        return "no score"
    if scale is QuestionType.YES_NO:
        return "yes" if value else "no"
    return f"{value} of {SCALES.get(scale, (0, 10))[1]}"


def scale_name(scale: QuestionType) -> str:
    """What was asked, in a few words."""
    return _NAMES.get(scale, scale.value)


def scale_short(scale: QuestionType) -> str:
    """The field's abbreviation."""
    return _SHORT.get(scale, scale.value.upper())
