"""Parts of many answers by what they are broken down by: how far colleagues fall into the same one.

A tier is one of the account, so all colleagues are in it together; of a persona, a product or a carrier they
may be anywhere. How far they are together is the agreement of colleagues beyond chance (Scott, "Reliability
of content analysis", Public Opinion Quarterly 19, 1955): 1 where a dimension follows from the account, 0
where it has nothing to do with it. Of a part of the answers that says how often two are of one account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.scoring.domain.design import APART, Clustering
from services.scoring.domain.histogram import Metric
from services.scoring.domain.rollups import JOINT, ROLLUPS, Rollup, name_of

OF_ACCOUNTS = frozenset({"tier", "industry", "size", "owner", "region"})
"""Dimensions of an account: whoever belongs to it is in the same part."""

Whole = tuple[Metric, str, str]
"""Metric, family and programme; the empty programme is all of the family together."""


def rest_of(dimensions: Rollup) -> Rollup:
    """What a programme, or all of a family, is broken down by."""
    return tuple(one for one in dimensions if one != "programme")


def is_bound(dimensions: Rollup) -> bool:
    """Whether parts by these dimensions have all people of an account in one of them."""
    return OF_ACCOUNTS.issuperset(dimensions)


MEASURED: Sequence[Rollup] = sorted(
    {rest for rollup in (*ROLLUPS, ("stage",)) if (rest := rest_of(rollup)) and not is_bound(rest)}
)
"""Breakdowns of which it is to be seen how far colleagues are in the same part; by stage no sums are kept."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of answers, and how many of them are alike in what they are broken down by.

    Attributes:
        colleagues: pairs of answers of one account.
        colleagues_alike: those of them that are in the same part.
        others: pairs of answers of two accounts.
        others_alike: those of them that are in the same part.
    """

    colleagues: float = 0.0
    colleagues_alike: float = 0.0
    others: float = 0.0
    others_alike: float = 0.0

    @property
    def bound(self) -> float:
        """How far colleagues are in the same part, beyond chance; where nobody knows 1, which is careful."""
        if not self.colleagues or not self.others:
            return 1.0
        chance = self.others_alike / self.others
        if chance >= 1:
            return 1.0
        seen = self.colleagues_alike / self.colleagues
        return min(1.0, max(0.0, (seen - chance) / (1 - chance)))


@dataclass(frozen=True, slots=True)
class Alike:
    """How answers hang together by account, in whatever parts they are looked at.

    Attributes:
        dimensions: that they are broken down by; none: the totals of families.
        known: of programmes, or of families as a whole.
        wholes: answers of each of these, of the days that are looked at.
        bounds: family -> how far colleagues are in the same part; those of which nothing is known are taken
            to be in one.
        programme: that all answers are of, where it is no dimension.
    """

    dimensions: Rollup
    known: Mapping[Whole, Clustering]
    wholes: Mapping[Whole, int] = field(default_factory=dict)
    bounds: Mapping[str, float] = field(default_factory=dict)
    programme: str = ""

    def of(self, metric: Metric, family: str, value: str, n: int) -> Clustering:
        """That of the answers under one value.

        The people of a single account are all that is spoken of there, no sample of accounts: each of their
        answers is its own.

        Args:
            metric: what is scored.
            family: whose.
            value: of the dimensions, joined.
            n: answers under it on the days that are looked at.
        """
        if "account" in self.dimensions:
            return APART
        whole = whole_of(self.dimensions, metric, family, value, self.programme)
        found = self.known.get(whole, APART)
        if not rest_of(self.dimensions):
            return found
        return found.part(self.wholes.get(whole, n), n, self.bounds.get(family, 1.0))


def whole_of(dimensions: Rollup, metric: Metric, family: str, value: str, programme: str = "") -> Whole:
    """What the answers under one value are a part of."""
    if "programme" in dimensions:
        programme = value.split(JOINT)[dimensions.index("programme")]
    return metric, family, programme


def dimensions_of(rollup: str) -> Rollup:
    """The dimensions of a rollup by its name; the reverse of naming it."""
    return () if rollup == name_of(()) else tuple(rollup.split("+"))
