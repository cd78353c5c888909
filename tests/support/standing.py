"""Machine time that stands until a test moves it, for the services and for their database alike.

Leases, back-offs and look-backs then expire when the story says so, never because a test machine is slow.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import asyncpg

_STAND = """
create table clock.standing (at timestamptz not null);
grant select on clock.standing to public;
insert into clock.standing values ('{at}');
create or replace function clock.machine_now() returns timestamptz
    language sql volatile as 'select at from clock.standing';
"""
_SHORT = 0.01
"""Real seconds in which somebody who sleeps a second of machine time wakes; the time itself stands still."""


class StandingMachine:
    """Monotonic and wall time of the house's one machine."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._elapsed = 0.0

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self._elapsed

    def wall(self) -> datetime:
        """Start plus what has passed."""
        return self._start + timedelta(seconds=self._elapsed)

    async def sleep(self, seconds: float) -> None:
        """Give the others a moment."""
        await asyncio.sleep(seconds * _SHORT)

    async def stand(self, admin: asyncpg.Connection) -> None:
        """Make the database's machine clock stand with ours."""
        await admin.execute(_STAND.format(at=self.wall().isoformat()))

    async def advance(self, seconds: float, admin: asyncpg.Connection) -> None:
        """Let time pass here and in the database."""
        self._elapsed += seconds
        await admin.execute("update clock.standing set at = $1", self.wall())
