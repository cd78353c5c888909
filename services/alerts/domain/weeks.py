"""Weeks in which reports are added up beforehand, from Monday to Monday in UTC."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

Span = tuple[datetime, datetime]
"""From when, included, until when, not included."""
_DAYS = 7


def week_of(at: datetime) -> date:
    """The Monday of the week of a moment."""
    day = at.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def span_of(week: date) -> Span:
    """From its Monday until the next."""
    start = datetime.combine(week, time.min, UTC)
    return start, start + timedelta(days=_DAYS)


def whole(span: Span) -> tuple[date, date]:
    """The first week that lies in a span as a whole, and the first one after it that does not."""
    start, until = span
    first = week_of(start)
    return first if span_of(first)[0] == start else first + timedelta(days=_DAYS), week_of(until)


def runs(weeks: Sequence[tuple[date, str]]) -> list[tuple[tuple[date, str], ...]]:
    """Weeks with their versions, those of each eight weeks of the calendar together."""
    return [tuple(found) for _, found in groupby(weeks, key=lambda one: one[0].toordinal() // (8 * _DAYS))]


def rest(span: Span, weeks: Iterable[date]) -> Sequence[Span]:
    """What is left of a span without these weeks, which lie in it."""
    start, until = span
    found: list[Span] = []
    for begins, ends in map(span_of, sorted(weeks)):
        if start < begins:
            found.append((start, begins))
        start = ends
    return [*found, (start, until)] if start < until else found
