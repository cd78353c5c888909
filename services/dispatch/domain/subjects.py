"""Several subject lines: who gets which, and what can be said of them.

Each recipient gets one line of a programme, always the same one: it follows from the programme, the person
and the ids of the lines, so that reminders, restarts and replays change nothing, and the lines of another
trial are given anew.

People are compared, not surveys: two surveys of one person carry the same line and are no two witnesses. As
many comparisons as there are pairs of lines are counted in (Bonferroni).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from statistics import NormalDist
from uuid import UUID

from services.dispatch.domain.rates import FEW
from shared.contracts.forms import Letter, SubjectLine
from shared.contracts.model import Channel
from shared.intervals import Interval, difference, wilson

SHOWN_BY = frozenset({Channel.EMAIL, Channel.IN_APP, Channel.WEBHOOK})
"""Channels that show a subject at all."""

_CHANCE = 0.05
_DRAWS = 2**64


def line_for(letter: Letter, programme: str, contact_id: UUID) -> SubjectLine | None:
    """The line that a recipient gets; None when there is only one subject for all."""
    lines = sorted((line for line in letter.subjects if line.part > 0), key=lambda line: line.id)
    if not lines:
        return None
    drawn = _draw(letter, programme, contact_id) * sum(line.part for line in lines)
    for line in lines:
        drawn -= line.part
        if drawn < 0:
            return line
    return lines[-1]


def _draw(letter: Letter, programme: str, contact_id: UUID) -> float:
    """A number from 0 to 1 that follows from the person and the lines, whatever their parts."""
    key = "\x1f".join((programme, str(contact_id), *sorted(line.id for line in letter.subjects)))
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) / _DRAWS


class Verdict(StrEnum):
    """What can be said of a line: it beats every other, another one beats it, or nothing yet."""

    AHEAD = "ahead"
    BEHIND = "behind"
    NOTHING_YET = "nothing_yet"


@dataclass(frozen=True, slots=True)
class Sums:
    """What became of the surveys that were sent with a line; `people` are their recipients."""

    line: str
    sent: int = 0
    people: int = 0
    started: int = 0
    answered: int = 0

    @property
    def share(self) -> float | None:
        """Answered of those sent; None while nothing was sent."""
        return self.answered / self.sent if self.sent else None

    @property
    def few(self) -> bool:
        """Whether too few people got it to compare it with another."""
        return self.people < FEW

    def around(self, chance: float = _CHANCE) -> Interval | None:
        """Where the share may truly lie, but for a chance; None while nothing was sent."""
        if self.share is None:
            return None
        return wilson(self.share * self.people, self.people, NormalDist().inv_cdf(1 - chance / 2))


@dataclass(frozen=True, slots=True)
class Judged:
    """A line's sums with what can be said of them."""

    sums: Sums
    verdict: Verdict


def judged(lines: Sequence[Sums]) -> list[Judged]:
    """The lines of one programme, each with its verdict; the one that most answered comes first."""
    pairs = len(lines) * (len(lines) - 1) // 2
    beaten: dict[str, set[str]] = {one.line: set() for one in lines}
    for one, other in combinations(lines, 2):
        winner = _winner(one, other, _CHANCE / pairs)
        if winner is not None:
            beaten[winner.line].add(other.line if winner is one else one.line)
    losers = set().union(*beaten.values())
    found = [Judged(one, _verdict(one, beaten, losers)) for one in lines]
    return sorted(found, key=lambda one: (-(one.sums.share or 0.0), one.sums.line))


def _verdict(one: Sums, beaten: dict[str, set[str]], losers: set[str]) -> Verdict:
    if one.line in losers:
        return Verdict.BEHIND
    everyone = len(beaten) > 1 and len(beaten[one.line]) == len(beaten) - 1
    return Verdict.AHEAD if everyone else Verdict.NOTHING_YET


def _winner(one: Sums, other: Sums, chance: float) -> Sums | None:
    """Which of two lines more people answer, if that is more than chance."""
    around_one, around_other = one.around(chance), other.around(chance)
    if one.few or other.few or around_one is None or around_other is None:
        return None
    apart = difference(one.share or 0.0, around_one, other.share or 0.0, around_other)
    if apart.low > 0:
        return other
    return one if apart.high < 0 else None
