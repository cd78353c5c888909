"""The parts of a programme side by side: each against all others, and how long until a change would show.

Whoever looks at ten parts finds one by chance; so "better" or "worse" than the others is said only where it
is certain with all parts counted in (Benjamini and Hochberg).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.scoring.domain.change import Verdict, compare, discoveries
from services.scoring.domain.design import APART, Clustering
from services.scoring.domain.histogram import Histogram
from services.scoring.domain.metrics import Score, score
from services.scoring.domain.planning import Outlook, plan

CERTAIN = 0.05
POINTS = 10
"""The change of which is told how long it takes to be seen."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One part.

    Attributes:
        value: of the dimension.
        score: of its answers.
        points: its score less that of all others; None where answers are too few.
        verdict: what can be said of it against the others.
        days: how long until a change of POINTS could be seen; None where nobody can say.
    """

    value: str
    score: Score
    points: float | None
    verdict: Verdict
    days: int | None


def segments(
    parts: Sequence[tuple[str, Histogram]],
    days: int | None,
    clustering: Clustering = APART,
    *,
    bound: float = 1.0,
    among: int = 0,
) -> list[Segment]:
    """Set parts side by side.

    Args:
        parts: values with their answers, all of one metric.
        days: that the answers are of; None where it is not known.
        clustering: of all answers together.
        bound: how far colleagues are in the same part, from 0 (by chance) to 1 (always).
        among: how many they are with those of which it is not known in which part they are.
    """
    whole = max(among, sum(one.n for _, one in parts))
    clusterings = [clustering.part(whole, one.n, bound) for _, one in parts]
    scores = [score(one, of.design(one.n)) for (_, one), of in zip(parts, clusterings, strict=True)]
    changes = []
    for place, (_, own) in enumerate(parts):
        others = sum((one for at, (_, one) in enumerate(parts) if at != place), Histogram.of(own.metric))
        rest = clustering.part(whole, others.n, bound).design(others.n)
        changes.append(compare(score(others, rest), scores[place]))
    chances = iter(discoveries([one.chance for one in changes if one.chance is not None]))
    found = []
    for (value, _), scored, change, of in zip(parts, scores, changes, clusterings, strict=True):
        verdict = change.verdict
        if change.chance is not None and next(chances) > CERTAIN:
            verdict = Verdict.NO_DETECTABLE_CHANGE
        found.append(Segment(value, scored, change.points, verdict, _wait(scored, days, of)))
    return found


def _wait(own: Score, days: int | None, clustering: Clustering) -> int | None:
    if days is None or not own.readable:
        return None
    return plan(Outlook(own.metric, own.split, days, clustering), POINTS).days
