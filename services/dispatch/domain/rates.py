"""Response rates against their two thresholds: the target of an account manager, and the floor (R58)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """Where a rate stands; `none` while nothing was sent."""

    NONE = "none"
    BELOW = "below"
    DECENT = "decent"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Shares of the sent surveys that are answered: what is aimed at, and below what something is wrong."""

    target: float = 0.5
    floor: float = 0.2

    def standing(self, sent: int, answered: int) -> Standing:
        """Where `answered` of `sent` stands; a rate that meets a threshold exactly has reached it."""
        if sent == 0:
            return Standing.NONE
        rate = answered / sent
        if rate >= self.target:
            return Standing.TARGET
        return Standing.DECENT if rate >= self.floor else Standing.BELOW
