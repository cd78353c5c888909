"""What a programme in shadow came to: whom it would have asked, and why the others not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A programme in shadow since some instant.

    Attributes:
        programme: its key.
        since: from when on it is counted.
        asks: surveys that it would have sent, to so many `people` of so many `accounts`.
        left_out: how often somebody was left out, by reason; the most frequent first.
        waiting: plans that are due and wait, by what for.
        ahead: plans that are not due yet; the next is at `next_at`.
    """

    programme: str
    since: datetime
    asks: int = 0
    people: int = 0
    accounts: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    ahead: int = 0
    next_at: datetime | None = None
