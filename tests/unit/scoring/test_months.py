"""A span is read from closed months and few days around them, and from no day too many."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.asking import FIRST_DAY, LAST_DAY, Span
from services.scoring.domain.months import Cut, Days, cut
from services.scoring.domain.periods import Step, next_start

DAYS = st.dates(date(2024, 1, 1), date(2026, 12, 31))
MONTHS = st.builds(date, st.integers(2024, 2026), st.integers(1, 12), st.just(1))


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _read(found: Cut) -> Counter[date]:
    """How often each day is in what is read."""
    seen: Counter[date] = Counter()
    for sign, first, last in found.days:
        for day in _days(first, last):
            seen[day] += sign
    for month in _months(found):
        seen.update(_days(month, next_start(month, Step.MONTH) - timedelta(days=1)))
    return Counter({day: times for day, times in seen.items() if times})


def _months(found: Cut) -> list[date]:
    first, last = found.months or (date.max, date.min)
    months = []
    while first <= last:
        months.append(first)
        first = next_start(first, Step.MONTH)
    return months


@given(DAYS, DAYS, MONTHS | st.just(date.min))
def test_every_day_of_a_span_is_read_once_and_no_other(one: date, other: date, before: date) -> None:
    span = Span(min(one, other), max(one, other))
    found = cut(span, before)
    assert _read(found) == Counter(_days(span.first, span.last))
    assert all(month < before for month in _months(found))


@given(DAYS, DAYS, MONTHS)
def test_of_closed_months_at_most_half_of_the_days_are_read(one: date, other: date, before: date) -> None:
    span = Span(min(one, other), max(one, other))
    closed = [day for part in cut(span, before).days for day in _days(part.first, part.last) if day < before]
    assert len(closed) <= 32


@pytest.mark.parametrize(
    ("span", "found"),
    [
        (Span(date(2025, 12, 5), date(2026, 3, 4)),
         Cut((Days(-1, date(2025, 12, 1), date(2025, 12, 4)), Days(1, date(2026, 3, 1), date(2026, 3, 4))),
             (date(2025, 12, 1), date(2026, 2, 1)))),
        (Span(), Cut((Days(1, date(2026, 3, 1), LAST_DAY),), (FIRST_DAY, date(2026, 2, 1)))),
        (Span(date(2026, 1, 1), date(2026, 1, 31)), Cut((), (date(2026, 1, 1), date(2026, 1, 1)))),
        (Span(date(2026, 1, 3), date(2026, 1, 9)), Cut((Days(1, date(2026, 1, 3), date(2026, 1, 9)),))),
        (Span(date(2026, 1, 3), date(2026, 1, 30)),
         Cut((Days(-1, date(2026, 1, 1), date(2026, 1, 2)), Days(-1, date(2026, 1, 31), date(2026, 1, 31))),
             (date(2026, 1, 1), date(2026, 1, 1)))),
        (Span(date(2026, 3, 2), date(2026, 3, 9)), Cut((Days(1, date(2026, 3, 2), date(2026, 3, 9)),))),
    ],
)  # fmt: skip
def test_months_are_taken_whole_where_fewer_of_their_days_lie_outside(span: Span, found: Cut) -> None:
    assert cut(span, date(2026, 3, 1)) == found
