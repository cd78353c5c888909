"""What follows a failed hand-over, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.dispatch.domain.retry import Backoff, End, Failure, GiveUp, RetryAt, next_attempt

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
DEFER, REFUSE, LOST = Failure(), Failure(permanent=True), Failure(uncertain=True)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.parametrize(
    ("attempts", "failure", "fresh_for", "draw", "expected"),
    [
        pytest.param(1, DEFER, DAY, 0.0, RetryAt(NOW + seconds(5)), id="first wait"),
        pytest.param(1, DEFER, DAY, 1.0, RetryAt(NOW + seconds(2.5)), id="first wait, most spread"),
        pytest.param(2, DEFER, DAY, 0.0, RetryAt(NOW + seconds(15)), id="three times longer"),
        pytest.param(6, DEFER, DAY, 0.0, RetryAt(NOW + seconds(1215)), id="sixth"),
        pytest.param(7, DEFER, DAY, 0.0, RetryAt(NOW + seconds(3600)), id="longest"),
        pytest.param(11, DEFER, DAY, 0.5, RetryAt(NOW + seconds(2700)), id="last but one"),
        pytest.param(12, DEFER, DAY, 0.0, GiveUp(End.EXHAUSTED), id="enough"),
        pytest.param(5000, DEFER, DAY, 0.0, GiveUp(End.EXHAUSTED), id="no overflow"),
        pytest.param(1, REFUSE, DAY, 0.0, GiveUp(End.REFUSED), id="5xx"),
        pytest.param(1, LOST, DAY, 0.0, GiveUp(End.UNCERTAIN), id="no answer"),
        pytest.param(12, LOST, DAY, 0.0, GiveUp(End.UNCERTAIN), id="no answer, last"),
        pytest.param(1, Failure(True, True), DAY, 0.0, GiveUp(End.UNCERTAIN), id="uncertain wins"),
        pytest.param(1, DEFER, seconds(5), 0.0, GiveUp(End.EXPIRED), id="moment gone just then"),
        pytest.param(1, DEFER, seconds(5.001), 0.0, RetryAt(NOW + seconds(5)), id="moment just lasts"),
        pytest.param(1, DEFER, seconds(-1), 0.0, GiveUp(End.EXPIRED), id="moment long gone"),
        pytest.param(
            1, Failure(retry_after=seconds(30)), DAY, 0.0, RetryAt(NOW + seconds(30)), id="asked to wait"
        ),
        pytest.param(
            4,
            Failure(retry_after=seconds(30)),
            DAY,
            0.0,
            RetryAt(NOW + seconds(135)),
            id="own wait is longer",
        ),
    ],
)
def test_what_follows(
    attempts: int, failure: Failure, fresh_for: timedelta, draw: float, expected: RetryAt | GiveUp
) -> None:
    assert next_attempt(attempts, failure, now=NOW, fresh_for=fresh_for, draw=draw) == expected


@pytest.mark.parametrize("attempts", [0, 1, 2, 7, 30, 10_000])
@pytest.mark.parametrize("draw", [0.0, 0.5, 1.0])
def test_waits_stay_between_half_of_the_first_and_the_longest(attempts: int, draw: float) -> None:
    backoff = Backoff()
    assert backoff.first / 2 <= backoff.wait(attempts, draw) <= backoff.longest
