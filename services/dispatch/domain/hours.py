"""Send windows as surveys bring them along: trigger's rule, kept to by what was held up on its way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from shared.contracts.surveys import SendHours
from shared.windows import Place, Window, choose_slot


@dataclass(frozen=True, slots=True)
class Hours:
    """When messages of a survey may leave, at its recipient."""

    window: Window
    place: Place
    outside_before_stale: bool

    def next(self, now: datetime, expires_at: datetime) -> datetime | None:
        """When a message may leave, from `now` on; None when it would be pointless by then.

        The very choice that trigger made when it asked, so what was asked in time may leave at once.
        """
        slot = choose_slot(
            now, expires_at, self.window, self.place, outside_before_stale=self.outside_before_stale
        )
        return slot.at if slot else None


@lru_cache(maxsize=1024)
def read_hours(text: str) -> Hours | None:
    """The rule as it was kept; None for "", that is for none.

    A zone that is not known here keeps the hours of UTC: an event that was taken must not stop the queue.
    """
    if not text:
        return None
    told = SendHours.model_validate_json(text)
    window = Window(frozenset(told.days), told.opens, told.closes, skip_holidays=bool(told.country))
    return Hours(window, Place(_zone(told.zone), told.country), told.outside_before_stale)


def write_hours(hours: SendHours | None) -> str:
    """The rule as it is kept."""
    return hours.model_dump_json() if hours else ""


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
