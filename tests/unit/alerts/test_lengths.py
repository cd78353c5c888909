"""Lengths of cases can be added up in parts, and say the same as all of them walked through one by one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.alerts.domain.care import Round, care, summed, together, told
from services.alerts.domain.lengths import lengths, merged, within
from services.alerts.domain.weeks import rest, span_of, week_of, whole
from tests.support.alerts import HOUR, T0

pytestmark = pytest.mark.requirement("R72")
MINUTES = st.lists(st.integers(0, 40).map(lambda minutes: timedelta(minutes=minutes)), max_size=40)


def walked(happened: Sequence[timedelta], waiting: Sequence[timedelta], share: float) -> timedelta | None:
    """Kaplan and Meier step by step: each time it happens, one of those who are still watched has it."""
    without, before = 1.0, 0
    for length in sorted(happened):
        watched = len(happened) - before + sum(one >= length for one in waiting)
        without, before = without * (1 - 1 / watched), before + 1
        if without <= 1 - share + 1e-9:
            return length
    return None


@given(MINUTES, MINUTES)
@example([timedelta(minutes=5)] * 3, [timedelta(minutes=5)] * 3)
def test_what_half_of_all_have_is_what_a_walk_from_case_to_case_finds(
    happened: list[timedelta], waiting: list[timedelta]
) -> None:
    found = within(lengths(happened, waiting), 0.5, 0.9)
    assert found == [walked(happened, waiting, share) for share in (0.5, 0.9)]


@given(st.lists(st.tuples(MINUTES, MINUTES), max_size=6))
def test_parts_come_to_what_all_of_it_comes_to(parts: list[tuple[list[timedelta], list[timedelta]]]) -> None:
    every = lengths([one for part, _ in parts for one in part], [one for _, part in parts for one in part])
    assert merged([lengths(*part) for part in parts]) == every


def test_lengths_are_exact_to_the_microsecond() -> None:
    length = timedelta(days=400, microseconds=1)
    assert within(lengths([length], []), 0.5) == [length]


MOMENTS = st.none() | st.integers(0, 3000).map(lambda minutes: T0 + timedelta(minutes=minutes))
ROUNDS = st.builds(
    Round, MOMENTS.map(lambda at: at or T0), MOMENTS, MOMENTS, MOMENTS, MOMENTS,
    late=st.booleans(), unresolved=st.booleans(), again=st.booleans(),
)  # fmt: skip


@given(st.lists(st.lists(ROUNDS, max_size=12), max_size=5))
def test_sums_of_rounds_can_be_added(parts: list[list[Round]]) -> None:
    now = T0 + 60 * HOUR
    every = [one for part in parts for one in part]
    assert told(together([summed(part, now) for part in parts])) == care(every, now)


AT = st.integers(0, 5000).map(lambda hours: T0 + hours * HOUR)


@given(AT, AT, st.data())
def test_weeks_and_the_rest_of_a_span_are_all_of_it_once(
    one: datetime, other: datetime, data: st.DataObject
) -> None:
    span = min(one, other), max(one, other) + HOUR
    first, after = whole(span)
    weeks = [first + timedelta(days=7 * n) for n in range(max((after - first).days // 7, 0))]
    kept = [week for week in weeks if data.draw(st.booleans())]
    parts = sorted([*map(span_of, kept), *rest(span, kept)])
    assert parts[0][0] == span[0]
    assert parts[-1][1] == span[1]
    assert all(before[1] == following[0] for before, following in pairwise(parts))
    assert all(week_of(start) == week for week, (start, _) in zip(weeks, map(span_of, weeks), strict=True))
    assert not weeks or span_of(first)[0] - span[0] < timedelta(days=7) > span[1] - span_of(after)[0]
