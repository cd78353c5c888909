from __future__ import annotations

from shared.runtime.clock import FakeMachine
from shared.runtime.lowmark import LowMark


def look(low: LowMark[int], machine: FakeMachine, seconds: float) -> int | None:
    since = low.begin()
    machine.advance(seconds)
    low.looked()
    return since


def test_before_anything_was_claimed_everything_is_looked_at() -> None:
    machine = FakeMachine()
    low: LowMark[int] = LowMark(machine)
    assert [look(low, machine, 0.1) for _ in range(3)] == [None, None, None]


def test_after_a_claim_only_what_lies_behind_it() -> None:
    machine = FakeMachine()
    low: LowMark[int] = LowMark(machine)
    look(low, machine, 0.1)
    low.move(7)
    assert look(low, machine, 0.001) == 7


def test_looking_at_everything_takes_a_twentieth_of_the_time() -> None:
    machine = FakeMachine()
    low: LowMark[int] = LowMark(machine)
    look(low, machine, 0.1)
    low.move(7)
    machine.advance(1.9)
    assert look(low, machine, 0) == 7
    machine.advance(0.1)
    assert look(low, machine, 0) is None


def test_while_it_costs_nothing_everything_is_looked_at_each_time() -> None:
    machine = FakeMachine()
    low: LowMark[int] = LowMark(machine)
    look(low, machine, 0)
    low.move(7)
    assert look(low, machine, 0) is None
