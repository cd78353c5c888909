"""Local calendar arithmetic: over all zones and all clock changes of 2020 to 2040 nothing is ever early."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.trigger.domain.timing import Span, add_span, country_of, days_before, parse_hours
from shared.calendars import is_holiday, local_instant
from shared.windows import ACCEPTABLE, Place, Window, choose_slot, next_in_window

STOCKHOLM = ZoneInfo("Europe/Stockholm")
SWEDEN = Place(STOCKHOLM, "SE")
OFFICE = Window(frozenset({1, 2, 3}), 9 * 60 + 30, 16 * 60)
ZONES = st.sampled_from(sorted(z for z in available_timezones() if "/" in z)).map(ZoneInfo)
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
WINDOWS = st.builds(
    lambda days, opens, length: Window(frozenset(days), opens, min(opens + length, 1440)),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 1380),
    st.integers(60, 720),
)


def local(
    year: int, month: int, day: int, hour: int, minute: int = 0, zone: ZoneInfo = STOCKHOLM
) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=zone)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("2h", Span(hours=2)),
        ("14d", Span(days=14)),
        ("3mo", Span(months=3)),
        ("1y", Span(months=12)),
    ],
)
def test_spans_are_read_and_written(text: str, span: Span) -> None:
    assert Span.parse(text) == span
    assert Span.parse(span.text) == span


@pytest.mark.parametrize("text", ["", "14", "d", "14 days", "-1d", "1.5d", "14d3h"])
def test_other_spans_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a span"):
        Span.parse(text)


@pytest.mark.parametrize(
    ("start", "span", "end"),
    [
        pytest.param(local(2026, 3, 3, 10), "14d", local(2026, 3, 17, 10), id="plain"),
        pytest.param(
            local(2026, 3, 20, 10), "14d", local(2026, 4, 3, 10), id="over the start of summer time"
        ),
        pytest.param(
            local(2026, 3, 15, 2, 30), "14d", local(2026, 3, 29, 3, 30), id="into the gap: moves forward"
        ),
        pytest.param(
            local(2026, 10, 11, 2, 30), "14d", local(2026, 10, 25, 2, 30), id="ambiguous: the first"
        ),
        pytest.param(local(2026, 1, 31, 9), "1mo", local(2026, 2, 28, 9), id="a month without that day"),
        pytest.param(local(2024, 2, 29, 9), "1y", local(2025, 2, 28, 9), id="a year without that day"),
        pytest.param(local(2026, 3, 28, 22), "12h", local(2026, 3, 29, 11), id="hours are exact"),
    ],
)
@pytest.mark.requirement("R11", "R47")
def test_delays_are_days_of_the_recipients_calendar(start: datetime, span: str, end: datetime) -> None:
    assert add_span(start.astimezone(UTC), Span.parse(span), STOCKHOLM) == end.astimezone(UTC)


def test_an_ambiguous_time_takes_the_first_of_both() -> None:
    assert local_instant(date(2026, 10, 25), 150, STOCKHOLM) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@settings(max_examples=300, deadline=None)
@given(at=INSTANTS, days=st.integers(1, 400), zone=ZONES)
def test_a_delay_is_never_early_and_at_most_a_clock_change_late(
    at: datetime, days: int, zone: ZoneInfo
) -> None:
    end = add_span(at, Span(days=days), zone)
    wanted = at.astimezone(zone).replace(tzinfo=None) + timedelta(days=days)
    reached = end.astimezone(zone).replace(tzinfo=None)
    assert wanted <= reached <= wanted + timedelta(hours=24)
    assert abs(end - (at + timedelta(days=days))) <= timedelta(hours=26)


@settings(max_examples=200, deadline=None)
@given(at=INSTANTS, later=st.integers(0, 100_000), days=st.integers(0, 60), zone=ZONES)
def test_delays_keep_the_order_of_events_within_a_clock_change(
    at: datetime, later: int, days: int, zone: ZoneInfo
) -> None:
    span = Span(days=days)
    second = add_span(at + timedelta(minutes=later), span, zone)
    assert second >= add_span(at, span, zone) - timedelta(hours=3)


@settings(max_examples=300, deadline=None)
@given(at=INSTANTS, window=WINDOWS, zone=ZONES)
def test_a_slot_is_inside_its_window_and_never_early(at: datetime, window: Window, zone: ZoneInfo) -> None:
    slot = next_in_window(at, window, zone)
    assert slot is not None
    assert slot >= at
    day = slot.astimezone(zone).date()
    assert day.weekday() in window.days
    assert local_instant(day, window.opens, zone) <= slot < local_instant(day, window.closes, zone)


@pytest.mark.parametrize(
    ("at", "slot"),
    [
        pytest.param(local(2026, 3, 3, 9, 29), local(2026, 3, 3, 9, 30), id="just before it opens"),
        pytest.param(local(2026, 3, 3, 9, 30), local(2026, 3, 3, 9, 30), id="as it opens"),
        pytest.param(local(2026, 3, 3, 15, 59), local(2026, 3, 3, 15, 59), id="just before it closes"),
        pytest.param(local(2026, 3, 3, 16), local(2026, 3, 4, 9, 30), id="as it closes"),
        pytest.param(local(2026, 3, 5, 16), local(2026, 3, 10, 9, 30), id="over Friday and Monday (R46)"),
        pytest.param(local(2026, 1, 6, 10), local(2026, 1, 7, 9, 30), id="a public holiday"),
    ],
)
@pytest.mark.requirement("R46")
def test_the_window_at_its_edges(at: datetime, slot: datetime) -> None:
    assert next_in_window(at.astimezone(UTC), OFFICE, STOCKHOLM, "SE") == slot.astimezone(UTC)


@pytest.mark.parametrize(
    ("stale", "outside", "expected"),
    [
        pytest.param(local(2026, 3, 10, 9, 31), True, (local(2026, 3, 10, 9, 30), True), id="in time"),
        pytest.param(
            local(2026, 3, 10, 9, 30), True, (local(2026, 3, 6, 8), False), id="too late: acceptable hour"
        ),
        pytest.param(local(2026, 3, 10, 9, 30), False, None, id="too late: not at all"),
        pytest.param(local(2026, 3, 6, 8), True, None, id="not even an acceptable hour"),
        pytest.param(
            local(2026, 3, 6, 8, 1), True, (local(2026, 3, 6, 8), False), id="just an acceptable hour"
        ),
    ],
)
def test_window_against_freshness(
    stale: datetime, outside: bool, expected: tuple[datetime, bool] | None
) -> None:
    at = local(2026, 3, 5, 22).astimezone(UTC)
    slot = choose_slot(at, stale.astimezone(UTC), OFFICE, SWEDEN, outside_before_stale=outside)
    assert (slot and (slot.at, slot.inside)) == (expected and (expected[0].astimezone(UTC), expected[1]))


@pytest.mark.requirement("R26")
def test_anytime_is_now_unless_it_is_too_late() -> None:
    at = local(2026, 3, 8, 3).astimezone(UTC)
    slot = choose_slot(at, at + timedelta(minutes=1), None, SWEDEN, outside_before_stale=True)
    assert slot is not None
    assert slot.at == at
    assert choose_slot(at, at, None, SWEDEN, outside_before_stale=True) is None


@pytest.mark.requirement("R35")
def test_a_span_before_a_date_begins_at_a_decent_hour() -> None:
    assert days_before(date(2026, 9, 1), Span(days=60), STOCKHOLM) == local(2026, 7, 3, 8).astimezone(UTC)
    assert days_before(date(2026, 3, 31), Span(months=1), STOCKHOLM) == local(2026, 2, 28, 8).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "region", "country"),
    [
        ("Europe/Stockholm", "", "SE"),
        ("America/Mexico_City", "", "MX"),
        ("UTC", "", ""),
        ("UTC", "de", "DE"),
        ("UTC", "DE-BY", "DE-BY"),
        ("UTC", "DE-XX", "DE"),
        ("UTC", "EMEA", ""),
        ("UTC", "XX", ""),
    ],
)
def test_the_country_is_read_off_region_or_zone(zone: str, region: str, country: str) -> None:
    assert country_of(zone, region) == country


def test_a_year_of_which_only_fixed_holidays_are_known_disturbs_nobody() -> None:
    assert is_holiday("IN", date(2036, 1, 26)), "Republic Day; Diwali of that year is not known yet"


def test_holidays_are_kept_where_they_are_known() -> None:
    assert is_holiday("SE", date(2026, 6, 6))
    assert not is_holiday("DE", date(2026, 6, 6))
    assert not is_holiday("", date(2026, 12, 25))


@pytest.mark.parametrize(
    "text", ["9-16", "16:00-09:30", "09:30-09:30", "09:60-10:00", "10:00-24:01", "ten to four"]
)
def test_wrong_hours_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"range of hours|must start"):
        parse_hours(text)


def test_hours_may_end_at_midnight() -> None:
    assert parse_hours("00:00-24:00") == (0, 1440)
    assert ACCEPTABLE.opens == parse_hours("08:00-20:00")[0]


def test_a_window_that_never_opens_gives_no_slot() -> None:
    assert next_in_window(local(2026, 3, 3, 9), Window(frozenset(), 0, 1440), STOCKHOLM) is None
