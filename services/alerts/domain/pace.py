"""How many notices a partner may be given now: an average, with a burst after a rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST_HOLD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """So many a minute on average, and so many at once after a rest."""

    per_minute: float
    burst: int

    @property
    def every(self) -> timedelta:
        """The time that one notice takes up."""
        return timedelta(minutes=1) / self.per_minute


PACES: Mapping[str, Pace] = {
    "email": Pace(600, 60),
    "sms": Pace(60, 10),
    "slack": Pace(60, 3),
    "teams": Pace(60, 4),
    "pagerduty": Pace(120, 20),
    "webhook": Pace(600, 60),
}
"""What the partners document, or a careful guess where they do not."""


@dataclass(frozen=True, slots=True)
class Grant:
    """How many may go now, and what to remember: the time until which the pace is used up."""

    number: int
    used_until: datetime


def grant(pace: Pace, used_until: datetime, now: datetime, wanted: int) -> Grant:
    """Decide how many of the wanted may go now.

    Over any stretch of time no more go than `burst` and one for each `every` of it.
    """
    start = max(used_until, now)
    room = (now + pace.every * pace.burst - start) // pace.every
    number = max(min(wanted, room), 0)
    return Grant(number, start + pace.every * number)
