"""What was held up keeps to the very rule by which trigger chose the moment, in all zones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.dispatch.domain.hours import Hours, read_hours, write_hours
from services.dispatch.domain.look import Go, Later, Suppress, Verdict, Wait, last_look
from services.trigger.domain.survey import send_hours
from shared.calendars import local_instant
from shared.contracts.reasons import Reason
from shared.contracts.surveys import SendHours
from shared.windows import ACCEPTABLE, Place, Window, choose_slot
from tests.unit.dispatch.test_look import ALL, CLEAR

STOCKHOLM = ZoneInfo("Europe/Stockholm")
SWEDEN = Place(STOCKHOLM, "SE")
OFFICE = Window(frozenset({1, 2, 3}), 9 * 60 + 30, 16 * 60)
"""Tuesday to Thursday."""

FOREVER = datetime(2100, 1, 1, tzinfo=UTC)
PLACES = st.builds(
    Place,
    st.sampled_from(sorted(z for z in available_timezones() if "/" in z)).map(ZoneInfo),
    st.sampled_from(["", "SE", "DE-BY", "US"]),
)
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
WINDOWS = st.builds(
    lambda days, opens, length, holidays: Window(
        frozenset(days), opens, min(opens + length, 1440), skip_holidays=holidays
    ),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 1380),
    st.integers(60, 720),
    st.booleans(),
)
SPANS = st.timedeltas(timedelta(seconds=1), timedelta(days=40))


def brought(window: Window, place: Place, *, outside: bool) -> Hours:
    """The rule as trigger writes it and dispatch reads it back."""
    hours = read_hours(write_hours(send_hours(window, place, outside=outside)))
    assert hours is not None
    return hours


def local(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """An instant of March 2026 in Stockholm; the third is a Tuesday."""
    return datetime(2026, 3, day, hour, minute, second, tzinfo=STOCKHOLM).astimezone(UTC)


@settings(max_examples=300, deadline=None)
@given(INSTANTS, SPANS, WINDOWS, PLACES, st.booleans())
def test_it_is_the_choice_of_trigger(
    now: datetime, left: timedelta, window: Window, place: Place, outside: bool
) -> None:
    chosen = choose_slot(now, now + left, window, place, outside_before_stale=outside)
    at = brought(window, place, outside=outside).next(now, now + left)
    assert at == (chosen.at if chosen else None)


@settings(max_examples=300, deadline=None)
@given(INSTANTS, SPANS, WINDOWS, PLACES, st.booleans())
def test_nothing_leaves_outside_of_its_hours_and_what_waits_leaves_when_they_come(
    now: datetime, left: timedelta, window: Window, place: Place, outside: bool
) -> None:
    facts = replace(CLEAR, expires_at=now + left, hours=brought(window, place, outside=outside))
    match last_look(facts, now):
        case Go():
            day = now.astimezone(place.zone).date()
            open_now = [
                each
                for each in (window, *((ACCEPTABLE,) if outside else ()))
                if day.weekday() in each.days
                and local_instant(day, each.opens, place.zone)
                <= now
                < local_instant(day, each.closes, place.zone)
            ]
            assert open_now
        case Later(at):
            assert now < at < facts.expires_at
            assert last_look(facts, at) == Go()
            assert last_look(facts, at - timedelta(microseconds=1)) != Go()
        case Suppress(reason):
            assert reason is Reason.EXPIRED
            assert choose_slot(now, facts.expires_at, window, place, outside_before_stale=outside) is None
        case Wait():
            pytest.fail("no brake is on")


@pytest.mark.requirement("R46")
@pytest.mark.parametrize(
    ("now", "expires_at", "outside", "expected"),
    [
        pytest.param(local(3, 9, 29, 59), FOREVER, False, Later(local(3, 9, 30)), id="before they begin"),
        pytest.param(local(3, 9, 30), FOREVER, False, Go(), id="as they begin"),
        pytest.param(local(3, 15, 59, 59), FOREVER, False, Go(), id="just before they end"),
        pytest.param(local(3, 16), FOREVER, False, Later(local(4, 9, 30)), id="as they end"),
        pytest.param(local(5, 16), FOREVER, False, Later(local(10, 9, 30)), id="over Friday and Monday"),
        pytest.param(local(5, 16), local(10, 9, 30), False, Suppress(Reason.EXPIRED), id="too late then"),
        pytest.param(local(5, 16), local(10, 9, 30), True, Go(), id="too late then, and still decent now"),
        pytest.param(local(5, 20), local(10, 9, 30), True, Later(local(6, 8)), id="decent tomorrow"),
        pytest.param(local(5, 20), local(6, 8), True, Suppress(Reason.EXPIRED), id="not even decent in time"),
    ],
)
def test_the_hours_at_their_edges(
    now: datetime, expires_at: datetime, outside: bool, expected: Verdict
) -> None:
    facts = replace(CLEAR, expires_at=expires_at, hours=brought(OFFICE, SWEDEN, outside=outside))
    assert last_look(facts, now) == expected


def test_holidays_of_the_recipient_are_kept_where_the_programme_keeps_them() -> None:
    epiphany = datetime(2026, 1, 6, 10, tzinfo=STOCKHOLM).astimezone(UTC)
    following = datetime(2026, 1, 7, 9, 30, tzinfo=STOCKHOLM).astimezone(UTC)
    assert brought(OFFICE, SWEDEN, outside=False).next(epiphany, FOREVER) == following
    any_day = OFFICE._replace(skip_holidays=False)
    assert brought(any_day, SWEDEN, outside=False).next(epiphany, FOREVER) == epiphany


@pytest.mark.parametrize("name", [name for name in ALL if name != "paused"])
def test_what_is_over_is_over_at_any_hour(name: str) -> None:
    facts = replace(CLEAR, expires_at=FOREVER, hours=brought(OFFICE, SWEDEN, outside=False))
    over: dict[str, Any] = {name: ALL[name]}
    verdict = last_look(replace(facts, **over), local(3, 22))
    assert isinstance(verdict, Suppress)


def test_a_brake_is_looked_for_again_and_then_the_hours() -> None:
    facts = replace(CLEAR, expires_at=FOREVER, hours=brought(OFFICE, SWEDEN, outside=False))
    assert last_look(replace(facts, paused=True), local(3, 22)) == Wait()
    assert last_look(facts, local(3, 22)) == Later(local(4, 9, 30))


def test_without_hours_any_time_is_good() -> None:
    assert send_hours(None, SWEDEN, outside=True) is None
    assert write_hours(None) == ""
    assert read_hours("") is None
    assert last_look(replace(CLEAR, expires_at=FOREVER), local(3, 3)) == Go()


def test_a_zone_that_nobody_knows_keeps_the_hours_of_utc_and_stops_nothing() -> None:
    told = SendHours(days=(0, 1, 2, 3, 4, 5, 6), opens=540, closes=600, zone="Mars/Olympus")
    hours = read_hours(write_hours(told))
    assert hours is not None
    assert hours.next(datetime(2026, 3, 3, 8, tzinfo=UTC), FOREVER) == datetime(2026, 3, 3, 9, tzinfo=UTC)
