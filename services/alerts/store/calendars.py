"""Working hours as JSON, with a rota and with each promise made in them."""

from __future__ import annotations

from pydantic import TypeAdapter

from services.alerts.domain.calendars import Calendar

_CALENDAR = TypeAdapter(Calendar)


def dump(calendar: Calendar | None) -> str | None:
    """As they are stored."""
    return None if calendar is None else _CALENDAR.dump_json(calendar).decode()


def load(text: str | None) -> Calendar | None:
    """As they were stored."""
    return None if text is None else _CALENDAR.validate_json(text)
