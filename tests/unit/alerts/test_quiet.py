"""Quiet hours: what waits, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.alerts.domain.model import Occasion
from services.alerts.domain.priority import Priority
from services.alerts.domain.quiet import QuietHours, until, waits
from services.alerts.domain.teams import read_roster

NIGHT = QuietHours(22 * 60, 7 * 60)
STOCKHOLM = ZoneInfo("Europe/Stockholm")
ZONES = st.sampled_from(["Europe/Stockholm", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
TIMES = st.integers(0, 24 * 60 - 1)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=STOCKHOLM)


@pytest.mark.requirement("R72")
@pytest.mark.parametrize(
    ("now", "wakes"),
    [
        ("2026-03-03 21:59", None),
        ("2026-03-03 22:00", "2026-03-04 07:00"),
        ("2026-03-04 03:00", "2026-03-04 07:00"),
        ("2026-03-04 06:59", "2026-03-04 07:00"),
        ("2026-03-04 07:00", None),
        ("2026-03-28 23:00", "2026-03-29 07:00"),
    ],
)
def test_the_night_ends_at_its_local_time_also_when_clocks_change(now: str, wakes: str | None) -> None:
    found = until(NIGHT, STOCKHOLM, local(now))
    assert found == (local(wakes).astimezone(UTC) if wakes else None)


@pytest.mark.requirement("R72")
def test_quiet_hours_may_lie_within_a_day() -> None:
    siesta = QuietHours(13 * 60, 15 * 60)
    assert until(siesta, STOCKHOLM, local("2026-03-03 14:00")) == local("2026-03-03 15:00")
    assert until(siesta, STOCKHOLM, local("2026-03-03 15:00")) is None


@pytest.mark.requirement("R72")
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - made aware below
    ZONES, TIMES, TIMES, st.sampled_from(Occasion), st.sampled_from(Priority),
)  # fmt: skip
def test_only_what_can_wait_waits_and_never_longer_than_the_night(
    at: datetime, zone: str, begins: int, ends: int, occasion: Occasion, priority: Priority
) -> None:
    assume(0 < (ends - begins) % (24 * 60) <= 20 * 60)
    now, hours = at.replace(tzinfo=UTC), QuietHours(begins, ends)
    wakes = until(hours, ZoneInfo(zone), now)
    if wakes is not None:
        assert now <= wakes <= now + timedelta(hours=25)
        assert wakes == now or until(hours, ZoneInfo(zone), wakes) is None
    if waits(occasion, priority):
        assert priority is Priority.NORMAL
        assert occasion not in {Occasion.LATE, Occasion.LEADERSHIP, Occasion.UNRESOLVED, Occasion.DENIED}


@pytest.mark.requirement("R72")
def test_quiet_hours_that_never_end_are_refused() -> None:
    found = read_roster('quiet_hours: {from: "22:00", to: "06:30"}').value
    assert found is not None
    assert found.quiet_hours is not None
    assert found.quiet_hours.hours == QuietHours(22 * 60, 6 * 60 + 30)
    assert read_roster('quiet_hours: {from: "22:00", to: "22:00"}').value is None
    assert read_roster('quiet_hours: {from: "22:00", to: "24:00"}').value is None
