"""Public holidays and local times, the same for every service that promises a day or an hour."""

from __future__ import annotations

import warnings
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

DAY_MINUTES = 24 * 60


@lru_cache(maxsize=4096)
def local_instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The instant at which a local clock shows a minute of a day.

    A time in a gap moves forward, of two the first.
    """
    naive = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return naive.replace(tzinfo=zone, fold=0).astimezone(UTC)


@lru_cache(maxsize=4096)
def is_holiday(region: str, day: date) -> bool:
    """Whether a day is a public holiday.

    Args:
        region: ISO code of a country or of a part of it, as `SE` or `ES-CT`.
        day: in the calendar there.

    Returns:
        False for a region whose holidays nobody knows.
    """
    country, _, part = region.partition("-")
    return country in _known() and day in _holidays(country, part, day.year)


def knows(region: str) -> bool:
    """Whether the public holidays of a country, and of its part where one is named, are known."""
    country, _, part = region.partition("-")
    return country in _known() and (not part or part in _known()[country])


@lru_cache(maxsize=512)
def _holidays(country: str, part: str, year: int) -> frozenset[date]:
    with warnings.catch_warnings():
        # Of some countries only fixed holidays are known for far years (of India from 2036); those are kept.
        warnings.simplefilter("ignore", UserWarning)
        return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))


@lru_cache(maxsize=1)
def _known() -> dict[str, frozenset[str]]:
    found = holidays.list_supported_countries(include_aliases=False)
    return {country: frozenset(parts) for country, parts in found.items()}
