"""How long to wait before the same work is tried again."""

from __future__ import annotations

from shared.runtime.clock import Machine

FIRST_SECONDS = 0.1
MOST_SECONDS = 3.0


class Backoff:
    """Doubling waits up to a few seconds: infrastructure faults are retried for ever, but gently."""

    def __init__(self, machine: Machine, *, most: float = MOST_SECONDS) -> None:
        self._machine = machine
        self._most = most
        self._next = FIRST_SECONDS

    async def wait(self) -> None:
        """Sleep, longer each time."""
        await self._machine.sleep(self._next)
        self._next = min(self._next * 2, self._most)

    def reset(self) -> None:
        """The work succeeded: start small again."""
        self._next = FIRST_SECONDS
