"""Quiet hours: what is not urgent waits until whoever is told of it is awake (R72).

Only notices of cases with normal priority wait, and none that says that something is late. Clocks go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from services.alerts.domain.model import Occasion
from services.alerts.domain.priority import Priority

WAITING = frozenset(
    {
        Occasion.OPENED,
        Occasion.JOINED,
        Occasion.REOPENED,
        Occasion.REMINDER,
        Occasion.FOLLOW_UP,
        Occasion.RESOLVED,
        Occasion.CONFIRMED,
        Occasion.UNTAKEN,
    }
)
"""Occasions that can wait for the morning; what is late, or done to somebody by hand, never does."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local times between which people sleep, in minutes after midnight; over midnight where need be."""

    begins: int
    ends: int


def until(hours: QuietHours, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When somebody in a zone wakes who sleeps now; None for somebody who is awake.

    The end is a local time: where it does not exist that night, it is what the clock shows an hour later.
    """
    local = now.astimezone(zone)
    minute = local.hour * 60 + local.minute
    overnight = hours.begins > hours.ends
    sleeps = (
        minute >= hours.begins or minute < hours.ends if overnight else hours.begins <= minute < hours.ends
    )
    if not sleeps:
        return None
    day = local.date() + timedelta(days=1 if overnight and minute >= hours.begins else 0)
    wakes = datetime(day.year, day.month, day.day, hours.ends // 60, hours.ends % 60, tzinfo=zone)
    return max(wakes.astimezone(UTC), now)


def waits(occasion: Occasion, priority: Priority) -> bool:
    """Whether a notice can wait for the morning."""
    return occasion in WAITING and priority is Priority.NORMAL
