"""Which cells a span is read from: whole months where they are closed, days around them.

At either end a month is taken whole where fewer of its days lie outside of the span than in it, and those
are taken off again. So of a closed month at most half of the days are read, and of a year some twenty rows
instead of 365.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from services.scoring.domain.asking import Span
from services.scoring.domain.periods import Step, next_start, start_of

_DAY = timedelta(days=1)


class Days(NamedTuple):
    """Days, both included, whose cells are added (1) or taken off (-1)."""

    sign: int
    first: date
    last: date


class Cut(NamedTuple):
    """A span as it is read. Months are told by their first days, both included; None for no month at all."""

    days: tuple[Days, ...]
    months: tuple[date, date] | None = None


def cut(span: Span, before: date) -> Cut:
    """Cut a span into closed months and days.

    Args:
        span: the days that are asked for.
        before: the first of the first month that is not closed.
    """
    if span.first >= before or span.first > span.last:
        return _plain(span)
    begins, head = _head(span.first)
    ends, tail = _tail(span.last, before)
    if begins >= ends:
        return _plain(span)
    return Cut((*head, *tail), (begins, start_of(ends - _DAY, Step.MONTH)))


def _plain(span: Span) -> Cut:
    return Cut((Days(1, span.first, span.last),))


def _head(first: date) -> tuple[date, tuple[Days, ...]]:
    """The first month that is taken whole, and the days to be added or taken off before the rest."""
    down = start_of(first, Step.MONTH)
    up = next_start(down, Step.MONTH)
    if first == down:
        return down, ()
    if first - down < up - first:
        return down, (Days(-1, down, first - _DAY),)
    return up, (Days(1, first, up - _DAY),)


def _tail(last: date, before: date) -> tuple[date, tuple[Days, ...]]:
    """The first of the month behind those that are taken whole, and the days after the rest."""
    if last >= before:
        return before, (Days(1, before, last),)
    after = last + _DAY
    down = start_of(after, Step.MONTH)
    up = next_start(down, Step.MONTH)
    if after == down:
        return down, ()
    if up - after < after - down:
        return up, (Days(-1, after, up - _DAY),)
    return down, (Days(1, down, last),)
