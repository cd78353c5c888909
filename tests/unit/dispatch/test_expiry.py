"""When a certificate is warned of, both sides of each boundary."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.dispatch.domain.expiry import SOON, Standing, days_left, standing

END = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (SOON + SECOND, Standing.GOOD),
        (SOON, Standing.SOON),
        (timedelta(), Standing.SOON),
        (-SECOND, Standing.OVER),
    ],
)
def test_how_a_certificate_stands(before: timedelta, expected: Standing) -> None:
    assert standing(END, END - before) is expected


def test_days_go_below_nought() -> None:
    assert days_left(END, END - timedelta(hours=36)) == 1.5
    assert days_left(END, END + timedelta(hours=36)) == -1.5
