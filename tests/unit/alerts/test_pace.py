"""How fast partners are given notices, and who is tried next."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.app import paces_of
from services.alerts.domain.pace import PACES, Pace, grant
from services.alerts.domain.ways import next_way
from services.alerts.settings import Settings
from tests.support.alerts import T0

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("used", "wanted", "number"),
    [(-60, 5, 3), (0, 5, 3), (0, 2, 2), (1, 5, 2), (2, 5, 1), (3, 5, 0), (4, 5, 0), (0, 0, 0)],
)
def test_after_a_rest_a_few_go_at_once_then_one_a_second(used: int, wanted: int, number: int) -> None:
    assert grant(Pace(60, 3), T0 + used * SECOND, T0, wanted).number == number


@given(
    st.floats(0.5, 6000),
    st.integers(1, 20),
    st.lists(st.tuples(st.floats(0, 30), st.integers(0, 30)), min_size=1, max_size=30),
)
def test_over_any_stretch_no_more_than_the_burst_and_the_average(
    per_minute: float, burst: int, asks: list[tuple[float, int]]
) -> None:
    pace, now, used = Pace(per_minute, burst), T0, T0
    went: list[tuple[float, int]] = []
    for wait, wanted in asks:
        now += timedelta(seconds=wait)
        granted = grant(pace, used, now, wanted)
        used = granted.used_until
        assert 0 <= granted.number <= wanted
        went.append(((now - T0).total_seconds(), granted.number))
    for first in range(len(went)):
        for last in range(first, len(went)):
            stretch = went[last][0] - went[first][0]
            number = sum(n for _, n in went[first : last + 1])
            assert number <= burst + stretch * per_minute / 60 + 0.01


def test_one_channel_may_be_given_another_pace() -> None:
    paces = paces_of(Settings(per_minute={"sms": 6}))
    assert paces["sms"].every == timedelta(seconds=10)
    assert paces["email"] == PACES["email"]


@pytest.mark.parametrize("wrong", [{"fax": 1.0}, {"sms": 0.0}, {"sms": -1.0}])
def test_a_pace_that_is_none_stops_the_start(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="PER_MINUTE"):
        paces_of(Settings(per_minute=wrong))


@pytest.mark.parametrize(
    ("tried", "way"), [(set(), "email"), ({"email"}, "sms"), ({"sms"}, "email"), ({"email", "sms"}, None)]
)
def test_the_next_way_is_the_first_that_was_not_tried(tried: set[str], way: str | None) -> None:
    assert next_way(("email", "sms"), tried) == way
