"""A rota in layers: one person or a named gap at every instant, whatever the clocks do."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.domain.layers import (
    Hours,
    Layer,
    Override,
    Stack,
    counts,
    gaps,
    hand_over,
    shift,
    spans,
    turn_of,
    who,
)
from shared.runtime.ids import derive

ANA, BEN, CLEO, DAN = PEOPLE = tuple(derive("user", name) for name in ("ana", "ben", "cleo", "dan"))
ZONES = (
    "UTC",
    "Europe/Stockholm",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Atlantic/Azores",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "America/Havana",
    "Pacific/Apia",
)
"""With changes of half an hour, at midnight, back over midnight, around Ramadan, and a day that never was."""

hours = st.builds(
    Hours,
    days=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    opens=st.integers(0, 1439),
    closes=st.integers(1, 1440),
)
layers = st.builds(
    Layer,
    name=st.sampled_from(("weeks", "nights", "weekends")),
    members=st.lists(st.sampled_from(PEOPLE), max_size=4).map(tuple),
    starts_on=st.dates(date(2010, 1, 1), date(2027, 12, 31)),
    minute=st.integers(0, 1439),
    every=st.sampled_from((1, 7, 14)),
    zone=st.sampled_from(ZONES),
    hours=st.none() | hours,
)
instants = st.datetimes(datetime(2011, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - the zone comes from `timezones`


@st.composite
def stacks(draw: st.DrawFn) -> tuple[Stack, datetime]:
    since = draw(instants)
    overrides = [
        Override(derive("o", number), user, since + start, since + start + length)
        for number, (user, start, length) in enumerate(
            draw(
                st.lists(
                    st.tuples(
                        st.sampled_from(PEOPLE),
                        st.timedeltas(timedelta(days=-3), timedelta(days=9)),
                        st.timedeltas(timedelta(minutes=1), timedelta(days=4)),
                    ),
                    max_size=3,
                )
            )
        )
    ]
    return Stack(tuple(draw(st.lists(layers, max_size=3))), tuple(overrides)), since


@pytest.mark.requirement("R72")
@given(made=stacks(), active=st.sets(st.sampled_from(PEOPLE)), probe=st.floats(0, 0.999))
@settings(max_examples=60, deadline=None)
def test_at_every_instant_one_person_is_on_call_or_a_gap_is_named(
    made: tuple[Stack, datetime], active: set[UUID], probe: float
) -> None:
    stack, since = made
    until = since + timedelta(days=9)
    found = spans(stack, since, until, active)
    assert (found[0].starts_at, found[-1].ends_at) == (since, until)
    assert all(before.ends_at == after.starts_at for before, after in itertools.pairwise(found))
    assert all(before.duty != after.duty for before, after in itertools.pairwise(found))
    at = since + (until - since) * probe
    there = next(span for span in found if span.starts_at <= at < span.ends_at)
    assert there.duty == who(stack, at, active)
    assert there.duty is None or there.duty.user_id in active
    named = [gap for gap in gaps(stack, since, until, active) if gap.starts_at <= at < gap.ends_at]
    assert len(named) == (1 if there.duty is None else 0)
    assert all(gap.why for gap in named)


@given(layer=layers, at=instants)
@settings(max_examples=60, deadline=None)
def test_turns_lie_close_together_and_begin_at_their_local_time(layer: Layer, at: datetime) -> None:
    turn = turn_of(layer, at)
    begins, ends = hand_over(layer, turn), hand_over(layer, turn + 1)
    assert begins <= at < ends
    assert turn_of(layer, ends) == turn + 1
    assert turn_of(layer, ends - timedelta(seconds=1)) == turn
    local = begins.astimezone(ZoneInfo(layer.zone))
    wanted = datetime.combine(layer.starts_on + timedelta(days=turn * layer.every), datetime.min.time())
    wanted += timedelta(minutes=layer.minute)
    there = wanted.replace(tzinfo=local.tzinfo).astimezone(UTC).astimezone(local.tzinfo)
    exists = there.replace(tzinfo=None) == wanted
    assert (local.replace(tzinfo=None) == wanted) is exists
    if not exists:  # a local time that the change of the clock skips: the same moment, read on the new clock
        assert timedelta() < local.replace(tzinfo=None) - wanted <= timedelta(days=1)


@given(made=stacks())
@settings(max_examples=40, deadline=None)
def test_the_shift_around_an_instant_holds_it_and_one_duty(made: tuple[Stack, datetime]) -> None:
    stack, at = made
    found = shift(stack, at, PEOPLE)
    assert found.starts_at <= at < found.ends_at
    assert found.duty == who(stack, at, PEOPLE)
    assert found.duty == who(stack, found.ends_at - timedelta(microseconds=1), PEOPLE)


def test_a_later_layer_stands_above_while_its_hours_last() -> None:
    weeks = Layer("weeks", (ANA, BEN), date(2026, 3, 2), zone="Europe/Stockholm")
    nights = Layer("nights", (CLEO,), date(2026, 3, 2), zone="Europe/Stockholm", hours=Hours((4,), 1320, 420))
    stack = Stack((weeks, nights))
    friday_22 = datetime(2026, 3, 6, 21, tzinfo=UTC)
    saturday_7 = datetime(2026, 3, 7, 6, tzinfo=UTC)
    second = timedelta(seconds=1)
    on = [who(stack, at, PEOPLE) for at in (friday_22 - second, friday_22, saturday_7 - second, saturday_7)]
    assert [duty.user_id for duty in on if duty] == [ANA, CLEO, CLEO, ANA]


def test_a_layer_whose_people_have_left_lets_the_one_below_speak() -> None:
    below, above = Layer("weeks", (ANA,), date(2026, 3, 2)), Layer("top", (DAN,), date(2026, 3, 2))
    duty = who(Stack((below, above)), datetime(2026, 3, 4, tzinfo=UTC), {ANA})
    assert duty is not None
    assert (duty.user_id, duty.layer) == (ANA, "weeks")


def test_a_gap_says_why() -> None:
    day = datetime(2026, 3, 4, tzinfo=UTC)
    office = Layer("office", (ANA,), date(2026, 3, 2), hours=Hours((0, 1, 2, 3, 4), 540, 1020))
    assert [gap.why for gap in gaps(Stack(), day, day + timedelta(days=1), {ANA})] == ["no order is set"]
    found = gaps(Stack((office,)), day, day + timedelta(days=1), {ANA})
    assert [(gap.starts_at.hour, gap.ends_at.hour) for gap in found] == [(0, 9), (17, 0)]
    assert {gap.why for gap in found} == {"no layer counts at these hours"}
    (gone,) = gaps(Stack((office,)), day + timedelta(hours=10), day + timedelta(hours=11), {BEN})
    assert gone.why == "office: nobody of it is active any more"


@pytest.mark.parametrize(
    ("day", "length"),
    [
        pytest.param(date(2026, 3, 28), timedelta(hours=23), id="to summer time"),
        pytest.param(date(2026, 10, 24), timedelta(hours=25), id="from summer time"),
    ],
)
def test_a_daily_turn_is_an_hour_shorter_or_longer_when_the_clock_changes(
    day: date, length: timedelta
) -> None:
    daily = Layer("days", (ANA, BEN), day, 9 * 60, 1, "Europe/Stockholm")
    assert hand_over(daily, 1) - hand_over(daily, 0) == length


def test_hours_that_end_on_the_next_morning_count_from_the_day_on_which_they_begin() -> None:
    nights = Layer("nights", (ANA,), date(2026, 3, 2), hours=Hours((6,), 1320, 360))
    monday = datetime(2026, 3, 9, tzinfo=UTC)
    assert counts(nights, monday + timedelta(hours=5, minutes=59))
    assert not counts(nights, monday + timedelta(hours=6))
    assert not counts(nights, monday + timedelta(hours=23))
