from datetime import UTC, datetime, timedelta

import pytest
from babel.numbers import format_decimal, format_percent

from shared.web import dates

AT = datetime(2026, 3, 3, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "locale", "expected"),
    [
        ("UTC", "en", "3 Mar 2026, 09:05 UTC"),
        ("Europe/Madrid", "es", "3 mar 2026, 10:05 CET"),
        ("Europe/Stockholm", "sv", "3 mars 2026, 10:05 CET"),
        ("No/Such", "en", "3 Mar 2026, 09:05 UTC"),
        ("../etc/passwd", "en", "3 Mar 2026, 09:05 UTC"),
    ],
)
def test_an_instant_is_read_where_one_lives(zone: str, locale: str, expected: str) -> None:
    assert dates.instant(AT, zone, locale) == expected


def test_a_day_may_be_another_one_elsewhere() -> None:
    late = datetime(2026, 3, 3, 23, 30, tzinfo=UTC)
    assert dates.day(late, "UTC", "en") == "3 Mar 2026"
    assert dates.day(late, "Asia/Tokyo", "en") == "4 Mar 2026"
    assert dates.clock_time(late, "Asia/Tokyo", "en") == "08:30"


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (timedelta(0), "1 minute"),
        (timedelta(seconds=59), "1 minute"),
        (timedelta(minutes=59, seconds=31), "1 hour"),
        (timedelta(hours=3, minutes=20), "3 hours 20 minutes"),
        (timedelta(hours=24), "1 day"),
        (timedelta(days=2, hours=3, minutes=9), "2 days 3 hours"),
        (timedelta(days=2, minutes=9), "2 days"),
        (-timedelta(hours=2), "2 hours"),
    ],
)
def test_a_span_has_at_most_two_units(length: timedelta, expected: str) -> None:
    assert dates.span(length, "en") == expected


@pytest.mark.parametrize(
    ("left", "state"),
    [
        (timedelta(hours=4, seconds=1), "ok"),
        (timedelta(hours=4), "warn"),
        (timedelta(seconds=1), "warn"),
        (timedelta(0), "danger"),
        (-timedelta(days=1), "danger"),
    ],
)
def test_a_countdown_changes_state_as_time_runs_out(left: timedelta, state: str) -> None:
    counted = dates.countdown(AT + left, AT, "en")
    assert counted.state == state
    assert counted.overdue is (state == "danger")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (dates.number(1234.5, "en", 1), "1,234.5"),
        (dates.number(1234.5, "es", 1), "1.234,5"),
        (dates.signed(44, "en"), "+44"),
        (dates.signed(-4.2, "sv", 1), "\u22124,2"),
        (dates.signed(-0.2, "en"), "0"),
        (dates.percent(0.381, "en"), "38%"),
        (dates.percent(0.381, "sv"), "38\u00a0%"),
        (dates.percent(0.381, "es", 1), "38,1\u00a0%"),
    ],
)
def test_numbers_are_written_in_the_readers_way(text: str, expected: str) -> None:
    assert text == expected


def test_nothing_has_no_sign() -> None:
    assert dates.number(-0.0, "en", 1) == "0.0"
    assert dates.number(0.0, "en", 1) == "0.0"


@pytest.mark.parametrize("locale", ["en", "sv", "es"])
def test_numbers_are_rounded_as_the_languages_notation_would(locale: str) -> None:
    language = dates.babel_locale(locale)
    pattern = language.percent_formats[None].pattern
    for value in [number / 1000 for number in range(5, 2600, 5)] + [1234.5, 1235.5, 0.285, 0.295, 1e6 / 7]:
        assert dates.percent(value, locale) == format_percent(value, pattern, locale=language)
        assert dates.number(value, locale, 1) == format_decimal(value, "#,##0.0", locale=language)
        assert dates.number(value, locale) == format_decimal(value, "#,##0", locale=language)


def test_what_rounds_to_nought_has_no_sign() -> None:
    assert (dates.number(-0.4, "en"), dates.percent(-0.004, "en"), dates.number(0, "en")) == ("0", "0%", "0")
