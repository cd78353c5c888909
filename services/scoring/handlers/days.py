"""The days that an address names, for pages and programs alike."""

from __future__ import annotations

from datetime import date

from services.scoring.domain.asking import FIRST_DAY, LAST_DAY, Span
from services.scoring.domain.windows import Window, span_of
from shared.web.problems import Problem


def days_of(first: date | None, last: date | None, period: Window, today: date) -> Span:
    """The days that an address names: its dates, or else its period.

    Raises:
        Problem: 422, they end before they begin.
    """
    if not (first or last):
        return span_of(period, today)
    return days_between(first, last)


def days_between(first: date | None, last: date | None) -> Span:
    """Days by their first and last; without an end where one is missing.

    Raises:
        Problem: 422, they end before they begin.
    """
    span = Span(first or FIRST_DAY, last or LAST_DAY)
    if span.first > span.last:
        raise Problem(422, "from: these days end before they begin.", field="from")
    return span
