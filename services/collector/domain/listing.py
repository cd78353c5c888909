"""Which answers a list shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from shared.contracts.responses import Mood

HORIZON = timedelta(seconds=10)
"""Changes younger than this wait for the next page: one that is being committed just now may be older."""


class Standing(StrEnum):
    """Answers that count, those held back, or both."""

    COUNTED = "counted"
    HELD = "held"
    ALL = "all"

    @property
    def states(self) -> tuple[str, ...]:
        """States of responses."""
        return ("counted", "held") if self is Standing.ALL else (self.value,)


@dataclass(frozen=True, slots=True)
class Filters:
    """What is wanted; None and the empty text want everything.

    Attributes:
        since: Received at or after.
        until: Received before.
        reviewed: Of held ones: whether somebody looked at it and left it held; one that somebody let count is
            on its way and in neither list.
    """

    standing: Standing = Standing.COUNTED
    programme: str = ""
    account_id: str = ""
    contact_id: UUID | None = None
    survey_id: UUID | None = None
    mood: Mood | None = None
    since: datetime | None = None
    until: datetime | None = None
    reviewed: bool | None = None
