"""The days that a report is of, as its address says them: so many until now, or from one day to another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

PERIODS = ("7", "30", "90", "365")
"""Numbers of days to choose from."""
USUAL = timedelta(days=30)
LONGEST = timedelta(days=400)
"""A year and what a comparison with it needs."""
_DAY = timedelta(days=1)


class Days(BaseModel):
    """What the address of a report says of its time; dates, both of them included, win over the days."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    days: str = str(USUAL.days)
    first: str = Field(default="", alias="from", max_length=20)
    last: str = Field(default="", alias="to", max_length=20)

    @property
    def unusual(self) -> dict[str, str]:
        """What of it belongs into an address: all that is not as usual."""
        chosen = {"days": self.days, "from": self.first, "to": self.last}
        usual = {"days": str(USUAL.days), "from": "", "to": ""}
        return {name: text for name, text in chosen.items() if text != usual[name]}


@dataclass(frozen=True, slots=True)
class Span:
    """The time that is shown; `wrong` says what was amiss with the dates, by field."""

    since: datetime
    until: datetime
    wrong: dict[str, str]

    @property
    def last_moment(self) -> datetime:
        """The end itself is no longer in the span; this belongs to its last day."""
        return self.until - timedelta(microseconds=1)


def span_of(choice: Days, now: datetime, zone: ZoneInfo) -> Span:
    """The time to show, in the reader's days; the usual one beside what cannot be used."""
    days = int(choice.days) if choice.days in PERIODS else USUAL.days
    usual = Span(now - timedelta(days=days), now, {})
    if not choice.first and not choice.last:
        return usual
    wrong: dict[str, str] = {}
    today = now.astimezone(zone).date()
    last = _date(choice.last, "to", wrong) if choice.last else today
    first = _date(choice.first, "from", wrong) if choice.first else last - USUAL + _DAY
    if not wrong and first > min(last, today):
        wrong["from"] = "It must not lie behind the last day, nor in the future."
    elif not wrong and last - first >= LONGEST:
        wrong["from"] = f"{LONGEST.days} days at most."
    if wrong:
        return Span(usual.since, usual.until, wrong)
    return Span(datetime.combine(first, time.min, zone), datetime.combine(last + _DAY, time.min, zone), {})


def _date(text: str, field: str, wrong: dict[str, str]) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.max
    # The first and the last years of the calendar have no day before or behind them.
    if not date.min + LONGEST <= found <= date.max - LONGEST:
        wrong[field] = "Write a day as 2026-03-31."
        return date.max - LONGEST
    return found
