from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.periods import Step, next_start, start_of, trend
from services.scoring.domain.rates import Asked, Standing, rate, standing


@pytest.mark.requirement("R57")
def test_a_rate_is_answers_over_people_asked_with_its_interval() -> None:
    found = rate(Asked(requested=12, handed_over=10, answered=8))
    assert (found.asked, found.answered, found.value) == (10, 8, 0.8)
    assert found.low == pytest.approx(0.4901625, abs=1e-6)


def test_nobody_asked_is_no_rate() -> None:
    assert rate(Asked()).value is None


def test_who_answered_was_asked_even_when_the_mail_server_kept_silent() -> None:
    found = rate(Asked(requested=3, handed_over=1, answered=2))
    assert (found.asked, found.answered, found.value) == (2, 2, 1.0)


@pytest.mark.requirement("R58")
@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        pytest.param(50, Standing.ON_TARGET, id="exactly the target"),
        pytest.param(49, Standing.BETWEEN, id="just under the target"),
        pytest.param(20, Standing.BETWEEN, id="exactly the floor"),
        pytest.param(19, Standing.BELOW_FLOOR, id="just under the floor"),
    ],
)
def test_a_rate_stands_between_floor_and_target(answered: int, expected: Standing) -> None:
    assert standing(rate(Asked(handed_over=100, answered=answered)), 0.2, 0.5) is expected


def test_a_rate_of_nobody_stands_nowhere() -> None:
    assert standing(rate(Asked()), 0.2, 0.5) is Standing.NOTHING_YET


@pytest.mark.parametrize(
    ("day", "step", "expected"),
    [
        pytest.param(date(2026, 11, 22), Step.WEEK, date(2026, 11, 16), id="a Sunday ends its week"),
        pytest.param(date(2026, 11, 23), Step.WEEK, date(2026, 11, 23), id="a Monday begins one"),
        pytest.param(date(2026, 2, 28), Step.MONTH, date(2026, 2, 1), id="month"),
        pytest.param(date(2026, 3, 31), Step.QUARTER, date(2026, 1, 1), id="first quarter"),
        pytest.param(date(2026, 4, 1), Step.QUARTER, date(2026, 4, 1), id="second quarter"),
    ],
)
def test_each_day_lies_in_one_period(day: date, step: Step, expected: date) -> None:
    assert start_of(day, step) == expected


def test_december_is_followed_by_january() -> None:
    assert next_start(date(2026, 12, 1), Step.MONTH) == date(2027, 1, 1)
    assert next_start(date(2026, 10, 1), Step.QUARTER) == date(2027, 1, 1)


@pytest.mark.requirement("R64")
def test_a_trend_has_its_empty_periods_too() -> None:
    days = {
        date(2026, 1, 5): Histogram.of(Metric.NPS, [9]),
        date(2026, 1, 22): Histogram.of(Metric.NPS, [3, 10]),
    }
    found = trend(Metric.NPS, days, Step.WEEK)
    assert [(p.start, p.end, p.histogram.n) for p in found] == [
        (date(2026, 1, 5), date(2026, 1, 11), 1),
        (date(2026, 1, 12), date(2026, 1, 18), 0),
        (date(2026, 1, 19), date(2026, 1, 25), 2),
    ]


def test_no_answers_have_no_trend() -> None:
    assert trend(Metric.NPS, {}, Step.WEEK) == []


def test_a_span_wider_than_the_answers_is_covered_and_a_narrower_one_cuts() -> None:
    days = {date(2026, 1, 5): Histogram.of(Metric.NPS, [9]), date(2026, 3, 5): Histogram.of(Metric.NPS, [9])}
    found = trend(Metric.NPS, days, Step.MONTH, (date(2025, 12, 31), date(2026, 1, 31)))
    assert [(p.start.month, p.histogram.n) for p in found] == [(12, 0), (1, 1)]


@given(
    st.dictionaries(st.dates(date(2025, 1, 1), date(2027, 1, 1)), st.integers(0, 10), min_size=1),
    st.sampled_from(list(Step)),
)
@pytest.mark.requirement("R64")
def test_periods_touch_and_lose_no_answer(answers: dict[date, int], step: Step) -> None:
    days = {day: Histogram.of(Metric.NPS, [value]) for day, value in answers.items()}
    found = trend(Metric.NPS, days, step)
    assert sum(period.histogram.n for period in found) == len(answers)
    assert all(a.end + timedelta(days=1) == b.start for a, b in pairwise(found))
