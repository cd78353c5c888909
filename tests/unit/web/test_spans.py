"""The days that a report shows, as its address says them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.web.spans import Days, span_of

NOW = datetime(2026, 3, 31, 21, 30, tzinfo=UTC)
STOCKHOLM = ZoneInfo("Europe/Stockholm")


@pytest.mark.parametrize(
    ("choice", "since", "until"),
    [
        ({}, NOW - timedelta(days=30), NOW),
        ({"days": "7"}, NOW - timedelta(days=7), NOW),
        ({"days": "8"}, NOW - timedelta(days=30), NOW),
        # Days are the reader's, and the clock goes forward on the 29th.
        ({"from": "2026-03-29", "to": "2026-03-29"}, "2026-03-28T23:00Z", "2026-03-29T22:00Z"),
        ({"to": "2026-03-30"}, "2026-02-28T23:00Z", "2026-03-30T22:00Z"),
        ({"from": "2026-03-31", "days": "7"}, "2026-03-30T22:00Z", "2026-03-31T22:00Z"),
        ({"from": "2025-02-25", "to": "2026-03-31"}, "2025-02-24T23:00Z", "2026-03-31T22:00Z"),
    ],
)
def test_the_days_that_are_shown(
    choice: dict[str, str], since: datetime | str, until: datetime | str
) -> None:
    span = span_of(Days.model_validate(choice), NOW, STOCKHOLM)
    assert span.wrong == {}
    assert (span.since, span.until) == tuple(
        datetime.fromisoformat(at) if isinstance(at, str) else at for at in (since, until)
    )


@pytest.mark.parametrize(
    ("choice", "field"),
    [
        ({"from": "2026-04-01"}, "from"),
        ({"from": "2026-03-31", "to": "2026-03-30"}, "from"),
        ({"from": "2025-02-24", "to": "2026-03-31"}, "from"),
        ({"to": "yesterday"}, "to"),
        ({"from": "0001-01-01", "to": "0001-01-02"}, "from"),
        ({"to": "9999-12-31"}, "to"),
    ],
)
def test_days_that_cannot_be_shown_are_named_by_their_field(choice: dict[str, str], field: str) -> None:
    span = span_of(Days.model_validate(choice), NOW, STOCKHOLM)
    assert field in span.wrong
    assert (span.since, span.until) == (NOW - timedelta(days=30), NOW)
