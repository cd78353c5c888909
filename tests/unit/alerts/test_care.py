"""How quickly cases are taken care of: rounds of a timeline, and times that count who still waits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.care import FEW, Line, Round, Times, care, rounds, times
from services.alerts.domain.model import Kind
from tests.support.alerts import HOUR, T0

pytestmark = pytest.mark.requirement("R72")


def line(kind: Kind, hours: float, **more: Any) -> Line:
    return Line(kind, T0 + hours * HOUR, **more)


def taken(hours: list[float | None], now: float = 100) -> Times:
    """Times of cases that were all opened at once; None: nobody has taken it."""
    found = [(Round(T0), None if one is None else T0 + one * HOUR) for one in hours]
    return times(found, T0 + now * HOUR)


def test_each_opening_is_a_round_of_its_own() -> None:
    first, second = rounds(
        [
            line(Kind.OPENED, 0),
            line(Kind.ACKNOWLEDGED, 1),
            line(Kind.CONTACTED, 5),
            line(Kind.CONTACTED, 6),
            line(Kind.RESOLVED, 30),
            line(Kind.REOPENED, 50),
            line(Kind.CONTACTED, 53),
        ]
    )
    assert first == Round(T0, T0 + HOUR, T0 + 5 * HOUR, T0 + 30 * HOUR, T0 + 30 * HOUR, again=True)
    assert second == Round(T0 + 50 * HOUR, T0 + 53 * HOUR, T0 + 53 * HOUR)


def test_another_voice_after_the_contact_begins_a_round_and_reopens_nothing_that_had_ended() -> None:
    first, second = rounds([line(Kind.OPENED, 0), line(Kind.CONTACTED, 2), line(Kind.REOPENED, 9)])
    assert (first.again, first.ended_at, first.resolved_at) == (False, T0 + 9 * HOUR, None)
    assert second == Round(T0 + 9 * HOUR)


def test_what_was_taken_back_never_was() -> None:
    (one,) = rounds(
        [
            line(Kind.OPENED, 0),
            line(Kind.ACKNOWLEDGED, 1),
            line(Kind.UNDONE, 1.1, action="acknowledge"),
            line(Kind.CONTACTED, 3),
            line(Kind.RESOLVED, 4),
            line(Kind.UNDONE, 4.1, action="resolve"),
            line(Kind.UNDONE, 4.2, action="plan"),
        ]
    )
    assert one == Round(T0, T0 + 3 * HOUR, T0 + 3 * HOUR)


def test_a_breach_is_one_however_high_it_went_and_stays_when_something_is_taken_back() -> None:
    (one,) = rounds(
        [
            line(Kind.OPENED, 0),
            line(Kind.ESCALATED, 12, clock="contact", level=1),
            line(Kind.CONTACTED, 23),
            line(Kind.ESCALATED, 24, clock="contact", level=2),
            line(Kind.UNDONE, 23.1, action="contacted"),
            line(Kind.ESCALATED, 48, clock="contact", level=3),
            line(Kind.ESCALATED, 336, clock="resolve", level=2),
        ]
    )
    assert one == Round(T0, late=True, unresolved=True)
    reminded = rounds([line(Kind.OPENED, 0), line(Kind.ESCALATED, 12, clock="contact", level=1)])
    assert reminded == [Round(T0)]


def test_cases_that_still_wait_count_for_as_long_as_they_have_waited() -> None:
    assert taken([1, 2, 3]).median == 2 * HOUR
    # Two of five wait longer than all others took: half of all cases have it within three hours.
    assert taken([1, 2, 3, None, None]) == Times(3, 2, 3 * HOUR)
    assert taken([1, None, None]) == Times(1, 2), "too many wait to say when half of them will have it"
    # Those who came a moment ago say nothing yet, and make nobody look slow.
    fresh = [(Round(T0 + 100 * HOUR), None)] * 3
    done = [(Round(T0), T0 + hours * HOUR) for hours in (1, 2, 3)]
    assert times([*done, *fresh], T0 + 100 * HOUR).median == 2 * HOUR


def test_who_ended_without_it_is_watched_no_longer_than_that() -> None:
    closed = Round(T0, ended_at=T0 + HOUR)
    found = times([(closed, None), (Round(T0), T0 + 5 * HOUR)], T0 + 1000 * HOUR)
    assert found == Times(1, 1, 5 * HOUR)


def test_of_few_cases_nothing_is_said_of_nine_in_ten() -> None:
    assert taken([float(hour) for hour in range(1, FEW)]).most is None
    assert taken([float(hour) for hour in range(1, FEW + 1)]).most == 9 * HOUR
    assert taken([*map(float, range(1, FEW)), None]).most == 9 * HOUR
    assert taken([*map(float, range(1, FEW - 1)), None, None]).most is None


def test_of_no_case_there_is_nothing_to_say() -> None:
    assert care([], T0).contacted == Times()


@given(st.lists(st.integers(0, 200), min_size=1), st.lists(st.integers(0, 200)))
def test_without_anybody_waiting_it_is_the_plain_quantile_and_waiting_ones_never_shorten_it(
    done: list[int], more: list[int]
) -> None:
    ordered = sorted(done)
    plain = taken([float(one) for one in done], now=200)
    assert plain.median == ordered[(len(ordered) - 1) // 2] * HOUR
    found = [(Round(T0), T0 + one * HOUR) for one in done]
    waits = [(Round(T0 + one * HOUR), None) for one in more]
    all_ = times([*found, *waits], T0 + 200 * HOUR)
    assert all_.median is None or all_.median >= ordered[(len(ordered) - 1) // 2] * HOUR
    assert (all_.n, all_.waiting) == (len(done), len(more))


def test_times_are_never_negative() -> None:
    assert times([(Round(T0), T0 - HOUR)], T0).median == timedelta()
