"""Chance that depends on names alone: the same story every time, in whatever order things are asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """Draws for a seed; each draw is named, so no draw depends on another."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def share(self, *name: object) -> float:
        """A number from 0 to 1, 1 excluded."""
        digest = blake2b("/".join([self._seed, *map(str, name)]).encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64

    def happens(self, probability: float, *name: object) -> bool:
        """Whether something of this probability happens."""
        return self.share(*name) < probability

    def between(self, low: timedelta, high: timedelta, *name: object) -> timedelta:
        """A span between two spans."""
        return low + (high - low) * self.share(*name)

    def pick(self, options: Sequence[T], *name: object) -> T:
        """One of several."""
        return options[int(self.share(*name) * len(options))]
