"""Instants as programs write them in an address or a body."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator

_DATED = re.compile(r"\d{4}-\d\d-\d\d")


def _dated(value: object) -> object:
    """Refuse a bare number, which could be read as seconds or milliseconds of some clock."""
    if isinstance(value, int | float) or (isinstance(value, str) and not _DATED.match(value)):
        raise ValueError("write it as 2026-03-03T10:00:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_dated)]
"""An instant with its zone, as RFC 3339 writes it."""
