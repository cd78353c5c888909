"""The part of the results about programmes: whose answers tell who leaves, and which ask in vain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.scoring.domain.telling import ProgrammeOutcome, Telling

SHOWN = 24
"""Comparisons for which a page has room; all of them are in the download."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What is shown of programmes.

    Attributes:
        shown: programmes with one metric each, the most telling first.
        more: of how many further ones nothing surer can be said.
        retiring: programmes that might be retired.
    """

    shown: Sequence[tuple[ProgrammeOutcome, Telling]]
    more: int
    retiring: Sequence[ProgrammeOutcome]

    @classmethod
    def of(cls, found: Sequence[ProgrammeOutcome]) -> Outcomes:
        """What there is room for."""
        each = [(one, of) for one in found for of in one.tellings]
        return cls(each[:SHOWN], len(each[SHOWN:]), [one for one in found if one.consider_retiring])
