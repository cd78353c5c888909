"""How zones, addresses, times of day and spans are written in `alerts.yaml`."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field

_SPAN = re.compile(r"(\d{1,4})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone; name it by place, like Europe/Stockholm")
    return name


def address(text: str) -> str:
    """An e-mail address, tidied.

    Raises:
        ValueError: it is none.
    """
    local, at, domain = text.strip().lower().partition("@")
    if not (local and at and domain) or any(c.isspace() for c in text.strip()):
        raise ValueError(f"{text!r} is not the e-mail address of a user")
    return f"{local}@{domain}"


def _clock(text: str) -> str:
    if text == "24:00":
        return text
    try:
        at = time.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time of day; write it like 09:00") from None
    return f"{at:%H:%M}"


def _spelled(text: object) -> str:
    found = _SPAN.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{text!r} is no span; write a number and m, h or d, like 15m, 2h or 1d")
    return found[0]


def span(text: str) -> timedelta:
    """A span that was checked: `15m`, `2h`, `1d`."""
    return int(text[:-1]) * _UNITS[text[-1]]


Zone = Annotated[str, AfterValidator(_zone), Field(description="time zone by place, like Europe/Stockholm")]
Address = Annotated[str, AfterValidator(address), Field(description="address with which a user signs in")]
LocalTime = Annotated[str, AfterValidator(_clock), Field(description='local time like "09:00"')]
Span = Annotated[str, BeforeValidator(_spelled), Field(description="a number and m, h or d, like 15m")]
