"""How often one link and one address may come: generous to an office behind one address, not to a flood."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` requests at once, and `per_second` more as time goes by."""

    burst: float
    per_second: float


class Buckets:
    """A token bucket per key; the keys that were quiet longest make room (a full bucket forgets nothing)."""

    def __init__(self, rate: Rate, most: int = 50_000) -> None:
        self._rate = rate
        self._most = most
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, key: str, now: float) -> float:
        """Take one; 0 when there was one, else the seconds until there is.

        Args:
            key: Whose bucket.
            now: Monotonic seconds.
        """
        level, at = self._levels.pop(key, (self._rate.burst, now))
        level = min(self._rate.burst, level + (now - at) * self._rate.per_second)
        taken = level >= 1
        self._levels[key] = (level - 1 if taken else level, now)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)
        return 0.0 if taken else (1 - level) / self._rate.per_second
