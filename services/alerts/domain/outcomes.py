"""How cases that were resolved turned out, in the customers' own words (R72)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Cases of a span of time, each once.

    Attributes:
        cases: resolved, or said not to be mended.
        confirmed: of them those that are over and that the customer confirmed.
        reopened: those that a customer said were not mended, however they stand now.
        open: those that somebody still works on.
    """

    cases: int = 0
    confirmed: int = 0
    reopened: int = 0
    open: int = 0

    @property
    def unconfirmed(self) -> int:
        """Resolved, and nobody has said whether it holds."""
        return self.cases - self.confirmed - self.open

    @property
    def recovered(self) -> float | None:
        """Share of all cases that the customer confirmed; None without a case."""
        return self.confirmed / self.cases if self.cases else None

    def __add__(self, other: Outcomes) -> Outcomes:
        """Both together."""
        return Outcomes(
            self.cases + other.cases,
            self.confirmed + other.confirmed,
            self.reopened + other.reopened,
            self.open + other.open,
        )


def total(parts: Iterable[Outcomes]) -> Outcomes:
    """All together."""
    return sum(parts, Outcomes())
