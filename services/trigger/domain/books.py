"""The books: every plan is accounted for, and every request too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Books:
    """Plans by what became of them: planned = pending + requested + suppressed + cancelled.

    A plan whose audience was resolved (`expanded`) is counted as the plans it became.
    """

    pending: int = 0
    requested: int = 0
    suppressed: Mapping[str, int] = field(default_factory=dict)
    cancelled: int = 0
    planned: int = 0
    asked: int = 0
    answered: int = 0
    reminded: int = 0

    @property
    def balanced(self) -> bool:
        """Whether nothing is missing, and every requested plan has its survey."""
        return (
            self.planned == self.pending + self.requested + sum(self.suppressed.values()) + self.cancelled
            and self.requested == self.asked
        )
