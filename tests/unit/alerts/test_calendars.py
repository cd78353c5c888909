"""Working hours: both sides of each boundary, holidays, changes of the clock, and two laws."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain import clocks
from services.alerts.domain import ticket as life
from services.alerts.domain.calendars import Calendar, add, is_open
from services.alerts.domain.clocks import Level
from shared.calendars import is_holiday, knows
from shared.runtime.ids import derive
from tests.support.alerts import HOUR, REP, T0, answer

SWEDEN = Calendar("Europe/Stockholm", country="SE")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.requirement("R72")
@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        pytest.param("2026-03-03T10:00+01:00", 4, "2026-03-03T14:00+01:00", id="within a day"),
        pytest.param("2026-03-03T10:00+01:00", 7, "2026-03-03T17:00+01:00", id="to the last minute"),
        pytest.param("2026-03-03T10:00+01:00", 8, "2026-03-04T10:00+01:00", id="into the next day"),
        pytest.param("2026-03-03T03:00+01:00", 1, "2026-03-03T10:00+01:00", id="before work begins"),
        pytest.param("2026-03-03T22:00+01:00", 1, "2026-03-04T10:00+01:00", id="after it has ended"),
        pytest.param("2026-03-06T16:00+01:00", 2, "2026-03-09T10:00+01:00", id="over a weekend"),
        pytest.param("2026-04-02T16:00+02:00", 2, "2026-04-07T10:00+02:00", id="over Easter"),
        pytest.param("2026-03-27T16:00+01:00", 2, "2026-03-30T10:00+02:00", id="over the change to summer"),
        pytest.param("2026-03-03T10:00+01:00", 24, "2026-03-06T10:00+01:00", id="24 hours are three days"),
    ],
)
def test_only_working_hours_count(start: str, hours: int, end: str) -> None:
    assert add(SWEDEN, at(start), hours * HOUR) == at(end)


def test_without_a_calendar_all_hours_count() -> None:
    assert add(None, T0, 24 * HOUR) == T0 + 24 * HOUR


@pytest.mark.parametrize(
    ("when", "open_"),
    [
        ("2026-03-03T08:59:59+01:00", False),
        ("2026-03-03T09:00+01:00", True),
        ("2026-03-03T16:59:59+01:00", True),
        ("2026-03-03T17:00+01:00", False),
        ("2026-03-07T12:00+01:00", False),
        ("2026-12-25T12:00+01:00", False),
    ],
)
def test_when_somebody_works(when: str, open_: bool) -> None:
    assert is_open(SWEDEN, at(when)) is open_


ZONES = st.sampled_from(
    ["UTC", "Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
)
CALENDARS = st.builds(
    Calendar,
    ZONES,
    st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    st.integers(0, 11 * 60),
    st.integers(12 * 60, 24 * 60),
    st.sampled_from(["", "SE", "DE-BY"]),
)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
SPANS = st.integers(1, 60 * 60).map(lambda minutes: timedelta(minutes=minutes))


@given(CALENDARS, MOMENTS, SPANS, SPANS)
def test_two_spans_after_each_other_are_their_sum(
    calendar: Calendar, start: datetime, one: timedelta, two: timedelta
) -> None:
    assert add(calendar, add(calendar, start, one), two) == add(calendar, start, one + two)


@given(CALENDARS, MOMENTS, SPANS)
def test_a_promise_ends_while_somebody_works_and_never_too_soon(
    calendar: Calendar, start: datetime, span: timedelta
) -> None:
    end = add(calendar, start, span)
    assert end >= start + span
    assert is_open(calendar, end - timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("days", "opens", "closes"),
    [((), 0, 10), ((7,), 0, 10), ((1,), 600, 600), ((1,), 0, 1441), ((1,), -1, 9)],
)
def test_hours_in_which_nobody_ever_works_are_refused(days: tuple[int, ...], opens: int, closes: int) -> None:
    with pytest.raises(ValueError, match=r"choose|after"):
        Calendar("UTC", days, opens, closes)


def test_only_known_countries_have_holidays() -> None:
    assert [knows(code) for code in ("SE", "DE-BY", "DE-XX", "XX", "")] == [True, True, False, False, False]
    assert not is_holiday("", datetime(2026, 12, 25, tzinfo=UTC).date())


@pytest.mark.requirement("R72")
def test_a_ticket_keeps_the_hours_in_which_its_contact_was_promised() -> None:
    friday = at("2026-03-06T16:00+01:00")
    ticket = life.open_(answer(at=friday, calendar=SWEDEN), derive("ticket"), REP).ticket
    assert ticket.run.due_at(Level.REMINDER) == at("2026-03-10T12:00+01:00")
    assert ticket.run.contact_due_at == at("2026-03-11T16:00+01:00")
    assert ticket.run.due_at(Level.LEADERSHIP) == at("2026-03-16T16:00+01:00")
    assert ticket.run.resolve_due_at == friday + timedelta(days=14)
    again = life.reopen(ticket, friday + timedelta(days=30), None).ticket
    assert again.run.calendar == SWEDEN


def test_of_two_promises_the_sooner_one_counts_with_its_hours() -> None:
    slow = clocks.start(1, T0, 24 * HOUR, timedelta(days=14), SWEDEN)
    fast = clocks.start(1, T0, 24 * HOUR, timedelta(days=14))
    assert clocks.hurry(slow, fast).contact_due_at == T0 + 24 * HOUR
    assert clocks.hurry(fast, slow) == fast
