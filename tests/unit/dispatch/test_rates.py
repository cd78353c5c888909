"""Where a response rate stands, both sides of each threshold; what comes first; the days that are shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.dispatch.domain.rates import Rate, Standing, Thresholds, judged, total
from services.dispatch.pages.rates import Choice, span_of

NOW = datetime(2026, 3, 31, 21, 30, tzinfo=UTC)
STOCKHOLM = ZoneInfo("Europe/Stockholm")


@pytest.mark.requirement("R58")
@pytest.mark.parametrize(
    ("sent", "answered", "standing"),
    [
        (0, 0, Standing.NONE),
        (100, 19, Standing.BELOW),
        (100, 20, Standing.DECENT),
        (100, 49, Standing.DECENT),
        (100, 50, Standing.TARGET),
        (1, 1, Standing.TARGET),
    ],
)
def test_where_a_rate_stands(sent: int, answered: int, standing: Standing) -> None:
    assert Thresholds().standing(sent, answered) is standing


def test_those_below_the_floor_come_first_and_small_numbers_alarm_nobody() -> None:
    found = judged(
        [
            Rate("good", sent=100, answered=60),
            Rate("idle"),
            Rate("few", sent=19),
            Rate("enough", sent=20, answered=3),
            Rate("worst", sent=400, answered=4),
            Rate("decent", sent=10, answered=2),
        ],
        Thresholds(),
    )
    assert [one.rate.name for one in found] == ["worst", "enough", "few", "decent", "good", "idle"]
    assert [one.rate.name for one in found if one.alarming] == ["worst", "enough"]
    assert [one.rate.name for one in found if one.rate.few] == ["few", "decent", "idle"]
    assert (found[-1].rate.share, found[0].rate.share) == (None, 0.01)


def test_a_total_adds_every_sum() -> None:
    one = Rate("a", *range(1, 11))
    assert total([one, one]) == Rate("", *range(2, 22, 2))
    assert total([]) == Rate()


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
    span = span_of(Choice.model_validate(choice), NOW, STOCKHOLM)
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
    span = span_of(Choice.model_validate(choice), NOW, STOCKHOLM)
    assert field in span.wrong
    assert (span.since, span.until) == (NOW - timedelta(days=30), NOW)
