"""Where the living rows of a queue begin, so that a claim does not wade through the dead ones before them.

While any session holds an old snapshot PostgreSQL can clean nothing up, and a query "the first rows that are
due" walks past every row that was ever due since then. A mark of where the last claim ended skips them. Rows
can still appear behind it (planned late, given back, skipped while locked), so the whole queue is looked at
again and again, as often as that costs no more than a small share of the time: at every turn while the dead
are few.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from shared.runtime.clock import Machine

T = TypeVar("T")

SHARE = 0.05
"""Part of the time that may be spent on looking at everything."""


class LowMark(Generic[T]):
    """The mark of one claimer in one process; forgotten with it."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._mark: T | None = None
        self._began_at = 0.0
        self._next_sweep_at = float("-inf")
        self._sweeping = False

    def begin(self) -> T | None:
        """Where to look from; None = look at everything. Call it right before the query."""
        self._began_at = self._machine.monotonic()
        self._sweeping = self._mark is None or self._began_at >= self._next_sweep_at
        return None if self._sweeping else self._mark

    def looked(self) -> None:
        """The query has answered: what it cost decides when everything is looked at again."""
        if self._sweeping:
            now = self._machine.monotonic()
            self._next_sweep_at = now + (now - self._began_at) / SHARE

    def move(self, mark: T) -> None:
        """Rows before the mark are done with. Only after the commit that made it so."""
        self._mark = mark
