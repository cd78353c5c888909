"""Business time follows its anchor and no wall clock's jump."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.runtime.clock import SETTLE_SECONDS, Anchor, AnchoredClock, FakeMachine, Reading

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def reading(machine: FakeMachine, anchor: Anchor, *, jump: timedelta = timedelta()) -> Reading:
    return Reading(anchor, machine.wall() + jump, machine.monotonic())


@pytest.fixture
def machine() -> FakeMachine:
    return FakeMachine(START)


@pytest.mark.parametrize(
    ("rate", "passed"), [(0.0, 0), (1.0, 10), (360.0, 3600)], ids=["stands", "real", "fast"]
)
def test_business_time_goes_at_the_rate_of_its_anchor(machine: FakeMachine, rate: float, passed: int) -> None:
    clock = AnchoredClock(machine)
    clock.observe(reading(machine, Anchor(START + HOUR, START, rate)))
    machine.advance(10)
    assert clock.now() == START + HOUR + timedelta(seconds=passed)


def test_a_moved_anchor_is_followed_at_once(machine: FakeMachine) -> None:
    clock = AnchoredClock(machine)
    clock.observe(reading(machine, Anchor(START, START, 0)))
    clock.observe(reading(machine, Anchor(START + 90 * 24 * HOUR, START, 0)))
    assert clock.now() == START + 90 * 24 * HOUR
    assert not clock.suspect


@pytest.mark.parametrize("jump", [3 * HOUR, -2 * HOUR, 14 * 24 * HOUR], ids=["+3 h", "-2 h", "+14 d"])
def test_a_jump_does_not_move_business_time(machine: FakeMachine, jump: timedelta) -> None:
    clock = AnchoredClock(machine)
    anchor = Anchor(START, START, 1)
    clock.observe(reading(machine, anchor))
    machine.advance(10)
    clock.observe(reading(machine, anchor, jump=jump))
    assert clock.suspect
    assert clock.now() == START + timedelta(seconds=10)


@pytest.mark.parametrize("jump", [3 * HOUR, -2 * HOUR, 14 * 24 * HOUR], ids=["+3 h", "-2 h", "+14 d"])
def test_a_process_that_begins_in_the_midst_of_a_jump_is_not_fooled(
    machine: FakeMachine, jump: timedelta
) -> None:
    clock = AnchoredClock(machine)
    anchor = Anchor(START, START, 1)
    clock.observe(reading(machine, anchor, jump=jump))
    suspected = [clock.suspect]
    assert clock.now() == START
    machine.advance(4)
    clock.observe(reading(machine, anchor))
    assert [*suspected, clock.suspect] == [True, False]
    assert clock.now() == START + timedelta(seconds=4)


def test_a_database_whose_clock_is_always_another_is_believed_after_a_minute(machine: FakeMachine) -> None:
    clock = AnchoredClock(machine)
    anchor = Anchor(START, START, 1)
    clock.observe(reading(machine, anchor, jump=HOUR))
    machine.advance(SETTLE_SECONDS)
    clock.observe(reading(machine, anchor, jump=HOUR))
    assert not clock.suspect
    assert clock.now() == START + HOUR + timedelta(seconds=SETTLE_SECONDS)


def test_a_jumped_clock_is_believed_after_a_minute(machine: FakeMachine) -> None:
    clock = AnchoredClock(machine)
    anchor = Anchor(START, START, 1)
    clock.observe(reading(machine, anchor))
    clock.observe(reading(machine, anchor, jump=3 * HOUR))
    machine.advance(SETTLE_SECONDS - 1)
    clock.observe(reading(machine, anchor, jump=3 * HOUR))
    assert clock.suspect
    machine.advance(1)
    clock.observe(reading(machine, anchor, jump=3 * HOUR))
    assert clock.now() == START + 3 * HOUR + timedelta(seconds=SETTLE_SECONDS)
    assert not clock.suspect


def test_a_jump_that_goes_back_is_forgotten_at_once(machine: FakeMachine) -> None:
    clock = AnchoredClock(machine)
    anchor = Anchor(START, START, 1)
    clock.observe(reading(machine, anchor))
    clock.observe(reading(machine, anchor, jump=3 * HOUR))
    clock.observe(reading(machine, anchor))
    assert not clock.suspect


@pytest.mark.parametrize(("seconds", "suspect"), [(60, False), (61, True)], ids=["a minute", "just over"])
def test_a_disagreement_of_a_minute_is_no_jump(machine: FakeMachine, seconds: int, suspect: bool) -> None:
    clock = AnchoredClock(machine)
    anchor = Anchor(START, START, 1)
    clock.observe(reading(machine, anchor))
    clock.observe(reading(machine, anchor, jump=timedelta(seconds=seconds)))
    assert clock.suspect is suspect
    fresh = AnchoredClock(machine)
    fresh.observe(reading(machine, anchor, jump=timedelta(seconds=seconds)))
    assert fresh.suspect is suspect
