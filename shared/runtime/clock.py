"""The two times of the house (`docs/mechanisms/time.md`).

Business time decides what is due; it comes from one anchor row that all processes share and can be scaled,
stepped and set. Machine time is monotonic and rules leases, back-off and time-outs. Nothing else reads a
clock.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Business time."""

    def now(self) -> datetime:
        """The present business instant, aware UTC."""
        ...


class Machine(Protocol):
    """Machine time of this process."""

    def monotonic(self) -> float:
        """Seconds that never jump."""
        ...

    def wall(self) -> datetime:
        """The machine's wall clock, aware UTC; for signatures and record keeping only."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait in machine time."""
        ...


class SystemMachine:
    """The real machine."""

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()  # noqa: TID251 - this is the clock

    def wall(self) -> datetime:
        """The machine's wall clock."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock

    async def sleep(self, seconds: float) -> None:
        """Wait in machine time."""
        await asyncio.sleep(seconds)


class FakeMachine:
    """A machine for tests: time passes only when somebody sleeps or advances it."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start or datetime(2026, 1, 1, tzinfo=UTC)
        self._elapsed = 0.0

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self._elapsed

    def wall(self) -> datetime:
        """Start plus what has passed."""
        return self._start + timedelta(seconds=self._elapsed)

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self._elapsed += seconds
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._elapsed += seconds


class FixedClock:
    """Business time that stands until it is moved; for tests and backtests."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """Where the clock stands."""
        return self._now

    def set(self, at: datetime) -> None:
        """Move to an instant."""
        self._now = at

    def advance(self, by: timedelta) -> None:
        """Move by a span."""
        self._now += by


@dataclass(frozen=True, slots=True)
class Anchor:
    """Business time = business_at + rate * (machine - machine_at); rate 0 stands still, 1 is real time."""

    business_at: datetime
    machine_at: datetime
    rate: float

    def at(self, machine: datetime) -> datetime:
        """Business time at an instant of the shared machine clock."""
        return self.business_at + (machine - self.machine_at) * self.rate


@dataclass(frozen=True, slots=True)
class Reading:
    """The anchor row and the database's clock, read together at `monotonic` seconds of this process."""

    anchor: Anchor
    database_at: datetime
    monotonic: float


JUMP = timedelta(seconds=60)
"""Disagreement between the database's clock and our monotonic one that counts as a jump."""

SETTLE_SECONDS = 60.0
"""How long both must agree again before a jumped clock is believed."""


class AnchoredClock:
    """Business time projected from the shared anchor by the monotonic clock.

    A jump of a wall clock cannot fire a timer early: the projection goes on undisturbed, `suspect` turns
    true (loops that act on due times pause, readiness is red) and the new time is believed only after a
    minute of agreement. The first reading is held against the machine's own wall clock, for a process may
    begin in the midst of a jump. Before it, the time is plain machine time.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._reading: Reading | None = None
        self._jumped: Reading | None = None

    @property
    def suspect(self) -> bool:
        """Whether the clocks disagree and nothing due may be acted on."""
        return self._jumped is not None

    def now(self) -> datetime:
        """The present business instant."""
        if self._reading is None:
            return self._machine.wall()
        return self._reading.anchor.at(self._projected(self._reading))

    def observe(self, reading: Reading) -> None:
        """Take a fresh reading of anchor and database clock."""
        if self._reading is None:
            self._reading = replace(reading, database_at=self._machine.wall())
        if self._agrees(self._reading, reading):
            self._reading, self._jumped = reading, None
        elif self._jumped is None or not self._agrees(self._jumped, reading):
            self._jumped = reading
        elif reading.monotonic - self._jumped.monotonic >= SETTLE_SECONDS:
            self._reading, self._jumped = reading, None

    def _projected(self, reading: Reading) -> datetime:
        return reading.database_at + timedelta(seconds=self._machine.monotonic() - reading.monotonic)

    @staticmethod
    def _agrees(earlier: Reading, later: Reading) -> bool:
        expected = earlier.database_at + timedelta(seconds=later.monotonic - earlier.monotonic)
        return abs(later.database_at - expected) <= JUMP
