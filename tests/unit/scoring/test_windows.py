"""Spans by name: rolling days, and the quarter and year so far, each with what it is compared with."""

from __future__ import annotations

from datetime import date

import pytest

from services.scoring.domain.asking import Span
from services.scoring.domain.windows import Window, before, span_of

TODAY = date(2026, 5, 20)


@pytest.mark.requirement("R64")
@pytest.mark.parametrize(
    ("window", "first", "earlier"),
    [
        (Window.WEEK, date(2026, 5, 14), Span(date(2026, 5, 7), date(2026, 5, 13))),
        (Window.MONTH, date(2026, 4, 21), Span(date(2026, 3, 22), date(2026, 4, 20))),
        (Window.DAYS_90, date(2026, 2, 20), Span(date(2025, 11, 22), date(2026, 2, 19))),
        (Window.DAYS_365, date(2025, 5, 21), Span(date(2024, 5, 21), date(2025, 5, 20))),
        (Window.QUARTER, date(2026, 4, 1), Span(date(2026, 1, 1), date(2026, 2, 19))),
        (Window.YEAR, date(2026, 1, 1), Span(date(2025, 1, 1), date(2025, 5, 20))),
    ],
)
def test_a_window_ends_today_and_is_compared_with_as_many_days(
    window: Window, first: date, earlier: Span
) -> None:
    span = span_of(window, TODAY)
    assert span == Span(first, TODAY)
    found = before(span, window)
    assert found == earlier
    assert found.last - found.first == span.last - span.first


def test_all_time_is_compared_with_nothing() -> None:
    assert span_of(Window.ALL, TODAY) == Span()
    assert before(Span(), Window.ALL) is None
