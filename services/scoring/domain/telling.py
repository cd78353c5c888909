"""Which programmes tell who leaves? Renewals and churn against what was said in each programme alone (R8).

Accounts are told apart as in `outcomes`, but by their answers to one programme. What is said of one
holds with all that are compared counted in (Benjamini and Hochberg), whether it is that there is a difference
or that there is none worth knowing: two one-sided tests (Schuirmann, Journal of Pharmacokinetics and
Biopharmaceutics 15, 1987). All else is too little data: a difference that was not found may be there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from services.scoring.domain.change import Change, discoveries
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Group
from services.scoring.domain.outcomes import Fate, against
from shared.contracts.programmes import ProgrammeState
from shared.intervals import Z95

CERTAIN = 0.05
RULED_OUT = CERTAIN / 2
"""Each of the two sides by itself, so that the 95 % interval lies within what is worth knowing."""

MOST_WORTH = 10.0
"""Percent of accounts: a larger difference is always worth knowing."""

ASKED_DAYS = 30

_NORMAL = NormalDist()


class Tells(StrEnum):
    """What answers to a programme tell of who leaves."""

    WHO_LEAVES = "who_leaves"
    WHO_STAYS = "who_stays"
    NOTHING = "nothing"
    NOT_ENOUGH_DATA = "not_enough_data"


_ORDER = list(Tells)


@dataclass(frozen=True, slots=True)
class Telling:
    """One metric of a programme: what became of accounts by what they had said in it, and what follows.

    Attributes:
        metric: what was asked.
        fates: accounts by what most of their answers were.
        tells: with all comparisons of the list counted in.
        points: percent of the unhappy that left less that of the happy; None where there are too few.
        low: one end of its 95 % interval.
        high: the other.
        worth: a difference that is worth knowing: half the share of all these accounts that left, 10 at most.
    """

    metric: Metric
    fates: Mapping[Group, Fate]
    tells: Tells
    points: float | None
    low: float | None
    high: float | None
    worth: float

    @property
    def accounts(self) -> int:
        """All that were renewed or ended, and had answered."""
        return sum(fate.accounts for fate in self.fates.values())


@dataclass(frozen=True, slots=True)
class ProgrammeOutcome:
    """What a programme's answers tell of who leaves.

    Attributes:
        programme: its key.
        touchpoints: what it asks after; none where it goes by a date, asks by hand, or that is not known.
        state: whether it asks; None where it is not known.
        asked: surveys handed over in the last 30 days.
        follows_up: whether a case, help or a task follows an unhappy answer; None where it is not known.
        tellings: one for each metric that it asks.
    """

    programme: str
    touchpoints: Sequence[str]
    state: ProgrammeState | None
    asked: int
    follows_up: bool | None
    tellings: Sequence[Telling]

    @property
    def consider_retiring(self) -> bool:
        """Whether it asks people, and neither outcomes nor what follows an unhappy answer are a reason to.

        Where somebody sees to unhappy answers the programme is of use by that, and whoever was helped may
        have stayed for it: that the unhappy did not leave is no proof that asking them was in vain.
        """
        silent = all(one.tells is Tells.NOTHING for one in self.tellings)
        asks = self.state is ProgrammeState.ACTIVE and self.asked > 0
        return bool(self.tellings) and silent and asks and self.follows_up is False

    @property
    def place(self) -> tuple[int, int, str]:
        """Where it stands in a list: what tells most first, then of whom most is known."""
        best = min((_ORDER.index(one.tells) for one in self.tellings), default=len(_ORDER))
        return best, -max((one.accounts for one in self.tellings), default=0), self.programme


def tellings(found: Sequence[tuple[Metric, Mapping[Group, Fate]]]) -> list[Telling]:
    """Judge comparisons that are shown together, each with all others counted in."""
    changes = [against(fates) for _, fates in found]
    worths = [_worth(fates) for _, fates in found]
    known = [place for place, change in enumerate(changes) if change.points is not None]
    by_chance = dict(zip(known, discoveries([changes[place].chance or 0.0 for place in known]), strict=True))
    hidden = dict(
        zip(known, discoveries([_hidden(changes[place], worths[place]) for place in known]), strict=True)
    )
    return [
        Telling(
            metric, fates, _tells(change, by_chance.get(place, 1.0), hidden.get(place, 1.0)),
            change.points, change.low, change.high, worths[place],
        )
        for place, ((metric, fates), change) in enumerate(zip(found, changes, strict=True))
    ]  # fmt: skip


def _worth(fates: Mapping[Group, Fate]) -> float:
    accounts = sum(fate.accounts for fate in fates.values())
    left = sum(fate.left for fate in fates.values())
    return min(MOST_WORTH, 50 * left / accounts) if accounts else 0.0


def _hidden(change: Change, worth: float) -> float:
    """The chance that so small a difference is seen where there is one that is worth knowing."""
    points, low, high = (float(end or 0) for end in (change.points, change.low, change.high))
    if not low < points < high:
        return 1.0
    upwards, downwards = (worth - points) / (high - points), (worth + points) / (points - low)
    return 1 - _NORMAL.cdf(Z95 * min(upwards, downwards))


def _tells(change: Change, by_chance: float, hidden: float) -> Tells:
    if change.points and by_chance <= CERTAIN:
        return Tells.WHO_LEAVES if change.points > 0 else Tells.WHO_STAYS
    return Tells.NOTHING if hidden <= RULED_OUT else Tells.NOT_ENOUGH_DATA
