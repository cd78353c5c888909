"""The one place that catches whatever work raises, for what must outlive it: loops, feeds, listeners."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from shared.db.errors import is_transient

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failed:
    """Work that raised; what follows is decided by the class of the error."""

    error: Exception

    @property
    def transient(self) -> bool:
        """Whether the same work will succeed later."""
        return is_transient(self.error)


async def attempted(work: Callable[[], Awaitable[T]]) -> T | Failed:
    """Do something, and give back what it raised instead of raising it; a cancellation passes."""
    try:
        return await work()
    except Exception as error:  # noqa: BLE001 - the one place; see above
        return Failed(error)
