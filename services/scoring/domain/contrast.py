"""Two sides held against each other, metric by metric: what can be said, and what has to be held back.

Answers that are on both sides make two scores alike: their difference is surer than that of two samples that
know nothing of each other. How much surer follows from the answers in common, counted by group.

Numbers are held back, in pages and for programs alike, where a side has too few answers; and where the two
sides differ by too few, for those could be told from the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import sqrt

from services.scoring.domain.change import Change, Verdict, compare, discoveries
from services.scoring.domain.definitions import Defined, Definition, Known, definitions
from services.scoring.domain.definitions import Told as Counted
from services.scoring.domain.design import APART, Clustering
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import TOO_FEW, Score, Split, is_difference, score, split
from shared.values import altered

CERTAIN = 0.05
"""Of comparisons that are told as better or worse, at most this share is chance."""


class Held(StrEnum):
    """Why numbers are held back."""

    TOO_FEW = "too_few"
    DIFFERENCE = "difference"


@dataclass(frozen=True, slots=True)
class Heard:
    """One metric of one kind of survey on one side.

    Attributes:
        histogram: all answers.
        clustering: how they hang together by account.
        population: people who could have answered; None where it is unknown or without end.
    """

    histogram: Histogram
    clustering: Clustering = APART
    population: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """The score of one side; its numbers are not to be shown where they are `held`."""

    score: Score
    held: Held | None = None

    @property
    def needed(self) -> int:
        """How many more answers it takes before anything is said."""
        return max(0, TOO_FEW - self.score.n)


@dataclass(frozen=True, slots=True)
class Reading:
    """Another reading of the same answers (R62); None where a side's would tell what few others said."""

    definition: Definition
    a: Defined | None
    b: Defined | None
    change: Change | None


@dataclass(frozen=True, slots=True)
class Contrast:
    """One metric of one kind of survey on both sides.

    Attributes:
        family: kind of survey.
        a: the one side.
        b: the other.
        both: answers that are on both.
        change: from b to a; None where both sides are the same answers.
        many: whether it would be told as better or worse were it the only comparison.
        readings: the same in other ways of counting, where they are known.
    """

    family: str
    a: Told
    b: Told
    both: int
    change: Change | None
    many: bool = False
    readings: Sequence[Reading] = ()

    @property
    def metric(self) -> Metric:
        """What is scored."""
        return self.a.score.metric

    @property
    def held(self) -> bool:
        """Whether the numbers of a side are held back."""
        return bool(self.a.held or self.b.held)


@dataclass(frozen=True, slots=True)
class Shared:
    """Answers that are on both sides; `complete` is false where there may be more of them."""

    histogram: Histogram
    complete: bool = True


def contrast(
    family: str,
    a: Heard,
    b: Heard,
    both: Shared | None,
    *,
    parts: bool = False,
) -> Contrast:
    """Hold two sides against each other.

    Args:
        family: kind of survey.
        a: the one side.
        b: the other.
        both: answers on both sides; None where there cannot be any.
        parts: whether the sides are the two parts of something whole.
    """
    scores = [score(one.histogram, one.clustering.design(one.histogram.n, one.population)) for one in (a, b)]
    shared = both.histogram.n if both else 0
    most = min(one.n for one in scores) if both and not both.complete else shared
    told_a, told_b = _told(scores, most, parts=parts)
    change: Change | None = Change(Verdict.TOO_FEW, told_b.score, told_a.score)
    if shared and shared == told_a.score.n == told_b.score.n:
        change = None
    elif not (told_a.held or told_b.held):
        change = compare(told_b.score, told_a.score, correlation=_alike(told_a.score, told_b.score, both))
    return Contrast(family, told_a, told_b, shared, change)


def _alike(a: Score, b: Score, both: Shared | None) -> float:
    return correlation(a.metric, a.split, b.split, split(both.histogram)) if both else 0.0


def _told(scores: Sequence[Score], shared: int, *, parts: bool) -> list[Told]:
    few = [not one.readable for one in scores]
    if any(few):
        # Of a whole whose sum is known elsewhere, the one part tells the other.
        other = Held.DIFFERENCE if parts else None
        return [Told(one, Held.TOO_FEW if lacks else other) for one, lacks in zip(scores, few, strict=True)]
    small = [shared and 0 < one.n - shared < TOO_FEW for one in scores]
    return [Told(one, Held.DIFFERENCE if told else None) for one, told in zip(scores, small, strict=True)]


def correlation(metric: Metric, a: Split, b: Split, both: Split) -> float:
    """How much two scores go together because some answers are in both, from 0 to 1."""
    inside = both.n * _spread(metric, both)
    a_rest, b_rest = _less(a, both), _less(b, both)
    a_all = a_rest.n * _spread(metric, a_rest) + inside
    b_all = b_rest.n * _spread(metric, b_rest) + inside
    if a_all > 0 and b_all > 0:
        return min(1.0, inside / sqrt(a_all * b_all))
    return min(1.0, both.n / sqrt(a.n * b.n)) if a.n and b.n else 0.0


def _less(whole: Split, part: Split) -> Split:
    return Split(
        max(0, whole.high - part.high), max(0, whole.middle - part.middle), max(0, whole.low - part.low)
    )


def _spread(metric: Metric, of: Split) -> float:
    """Variance of one answer that counts 1, 0 or -1 (NPS), or 1 or 0."""
    if not of.n:
        return 0.0
    high, low = of.high / of.n, of.low / of.n if is_difference(metric) else 0.0
    return high + low - (high - low) ** 2


def judged(found: Sequence[Contrast]) -> list[Contrast]:
    """The same, better or worse only where it is certain with all comparisons counted in."""
    chances = [one.change.chance for one in found if one.change and one.change.chance is not None]
    raised = iter(discoveries(chances))
    told = []
    for one in found:
        change = one.change
        if change and change.chance is not None and next(raised) > CERTAIN:
            many = change.verdict is not Verdict.NO_DETECTABLE_CHANGE
            change = altered(change, verdict=Verdict.NO_DETECTABLE_CHANGE)
            told.append(replace(one, change=change, many=many))
        else:
            told.append(one)
    return told


def with_readings(one: Contrast, a: Counted, b: Counted) -> Contrast:
    """The same with what comes of other ways of counting; without them where numbers are held back.

    Args:
        one: both sides.
        a: what was said on the one side, added up by account.
        b: what was said on the other.
    """
    if one.held or one.change is None:
        return one
    mine, theirs = (definitions(one.metric, one.family, told, Known()) for told in (a, b))
    first = Reading(
        Definition.RESPONDENT, replace(mine[0], score=one.a.score), replace(theirs[0], score=one.b.score),
        one.change,
    )  # fmt: skip
    readings = [first]
    for its_a, its_b in zip(mine[1:], theirs[1:], strict=True):
        kept_a, kept_b = (
            None if _tells(whole, of) else of for whole, of in ((mine[0], its_a), (theirs[0], its_b))
        )
        change = compare(kept_b.score, kept_a.score) if kept_a and kept_b else None
        readings.append(Reading(its_a.definition, kept_a, kept_b, change))
    return replace(one, readings=readings)


def _tells(everybody: Defined, one: Defined) -> bool:
    """Whether a reading leaves out so few answers that they could be told from it."""
    left_out = everybody.score.n - one.score.n
    return one.definition is Definition.DECISION_MAKERS and 0 < left_out < TOO_FEW


def nothing(metric: Metric) -> Heard:
    """A side on which nobody was asked this."""
    return Heard(Histogram.of(metric))
