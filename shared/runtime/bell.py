"""A bell between the parts of one process: look again, there may be work."""

from __future__ import annotations

import asyncio


class Bell:
    """Wakes loops that wait: somebody committed work for them, or business time was moved."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake everybody who listens."""
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    def listen(self) -> asyncio.Event:
        """An event that the next ring sets; taken before looking for work, so that no ring is missed."""
        return self._rung
