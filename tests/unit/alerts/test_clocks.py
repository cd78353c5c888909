"""The clocks: both sides of each boundary, and nothing told twice whatever happens in between."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.alerts.domain import clocks
from services.alerts.domain.clocks import Clock, Level, Run
from tests.support.alerts import HOUR, T0

SECOND = timedelta(seconds=1)


def run(**more: timedelta) -> Run:
    return clocks.start(1, T0, more.get("contact", 24 * HOUR), more.get("resolve", timedelta(days=14)))


@pytest.mark.requirement("R72")
@pytest.mark.parametrize(
    ("after", "level"),
    [
        pytest.param(timedelta(), None, id="at once"),
        pytest.param(12 * HOUR - SECOND, None, id="just before half time"),
        pytest.param(12 * HOUR, Level.REMINDER, id="half time"),
        pytest.param(24 * HOUR - SECOND, Level.REMINDER, id="just before the promise ends"),
        pytest.param(24 * HOUR, Level.LATE, id="the promise ends"),
        pytest.param(48 * HOUR - SECOND, Level.LATE, id="just before the hard limit"),
        pytest.param(48 * HOUR, Level.LEADERSHIP, id="the hard limit"),
        pytest.param(300 * HOUR, Level.LEADERSHIP, id="long after"),
    ],
)
def test_only_the_highest_overdue_level_is_told(after: timedelta, level: Level | None) -> None:
    told, rings = clocks.ring(run(), T0 + after)
    assert [ring.level for ring in rings] == ([] if level is None else [level])
    assert told.told == (level or Level.NONE)
    assert clocks.ring(told, T0 + after)[1] == ()


def test_levels_that_were_overtaken_stay_silent_for_ever() -> None:
    told, rings = clocks.ring(run(), T0 + 25 * HOUR)
    assert rings[0].skipped == (Level.REMINDER,)
    assert [timer.level for timer in clocks.timers(told) if timer.clock is Clock.CONTACT] == [
        Level.LEADERSHIP
    ]


@pytest.mark.requirement("R72")
def test_each_level_is_told_in_its_turn() -> None:
    current = run()
    told: list[tuple[int, Level]] = []
    for hour in range(60):
        current, rings = clocks.ring(current, T0 + hour * HOUR)
        told.extend((hour, ring.level) for ring in rings)
    assert told == [(12, Level.REMINDER), (24, Level.LATE), (48, Level.LEADERSHIP)]


def test_only_a_contact_stops_the_contact_clock() -> None:
    contacted = clocks.ring(run(), T0 + 12 * HOUR)[0]
    contacted = replace(contacted, contacted_at=T0 + 13 * HOUR)
    assert clocks.ring(contacted, T0 + 72 * HOUR)[1] == ()
    assert [timer.clock for timer in clocks.timers(contacted)] == [Clock.RESOLVE]


@pytest.mark.parametrize(
    ("after", "rings"),
    [(timedelta(days=14) - SECOND, False), (timedelta(days=14), True), (timedelta(days=40), True)],
)
def test_a_case_does_not_sleep_for_ever(after: timedelta, *, rings: bool) -> None:
    contacted = replace(run(), contacted_at=T0 + HOUR)
    told, found = clocks.ring(contacted, T0 + after)
    assert [ring.clock for ring in found] == ([Clock.RESOLVE] if rings else [])
    assert not rings or clocks.ring(told, T0 + after + HOUR)[1] == ()


def test_a_programme_may_promise_less_time() -> None:
    short = run(contact=4 * HOUR)
    assert [short.due_at(level) for level in clocks.SHARE] == [T0 + 2 * HOUR, T0 + 4 * HOUR, T0 + 8 * HOUR]


def test_summer_time_gives_no_hour() -> None:
    spring = datetime.fromisoformat("2026-03-28T12:00:00+01:00")
    begun = clocks.start(1, spring, 24 * HOUR, timedelta(days=14))
    assert begun.contact_due_at == datetime.fromisoformat("2026-03-29T13:00:00+02:00")


def test_a_joining_voice_can_only_bring_the_deadline_nearer() -> None:
    later = clocks.start(0, T0 + HOUR, 24 * HOUR, timedelta(days=14))
    sooner = clocks.start(0, T0 + HOUR, 2 * HOUR, timedelta(days=14))
    assert clocks.hurry(run(), later) == run()
    assert clocks.hurry(run(), sooner).contact_due_at == T0 + 3 * HOUR
