"""Spans by name and the one before each, as long: rolling days, the quarter and the year so far."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from services.scoring.domain.asking import FIRST_DAY, LAST_DAY, Span
from services.scoring.domain.periods import Step, start_of


class Window(StrEnum):
    """A span that ends today."""

    WEEK = "7"
    MONTH = "30"
    DAYS_90 = "90"
    DAYS_365 = "365"
    QUARTER = "quarter"
    YEAR = "year"
    ALL = "all"


AROUND_DAYS = 90
"""Days before and after a day that are compared."""

_DAYS = {Window.WEEK: 7, Window.MONTH: 30, Window.DAYS_90: 90, Window.DAYS_365: 365}


def span_of(window: Window, today: date) -> Span:
    """The days of a window; quarter and year are those of the calendar, as far as they have come."""
    if window is Window.ALL:
        return Span()
    if window in _DAYS:
        return Span(today - timedelta(days=_DAYS[window] - 1), today)
    if window is Window.QUARTER:
        return Span(start_of(today, Step.QUARTER), today)
    return Span(today.replace(month=1, day=1), today)


def before(span: Span, window: Window | None = None) -> Span | None:
    """What a span is compared with; None where there is nothing before it.

    A quarter or year that is not over is compared with as many days from the beginning of the one before;
    any other span with as many days right before it.
    """
    if span.first == FIRST_DAY or span.last == LAST_DAY:
        return None
    length = span.last - span.first
    if window is Window.QUARTER:
        first = start_of(span.first - timedelta(days=1), Step.QUARTER)
    elif window is Window.YEAR:
        first = span.first.replace(year=span.first.year - 1)
    else:
        first = span.first - length - timedelta(days=1)
    return Span(first, min(first + length, span.first - timedelta(days=1)))


def year_before(span: Span) -> Span | None:
    """The same days a year before; None where there is nothing before them."""
    if span.first == FIRST_DAY or span.last == LAST_DAY:
        return None
    return Span(_year_before(span.first), _year_before(span.last))


def _year_before(day: date) -> date:
    leap = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if leap else day.day)


def around(day: date, today: date) -> tuple[Span, Span]:
    """The days since something happened, and those before it."""
    after = Span(day, min(today, day + timedelta(days=AROUND_DAYS - 1)))
    return after, Span(day - timedelta(days=AROUND_DAYS), day - timedelta(days=1))
