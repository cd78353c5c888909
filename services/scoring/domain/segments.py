"""The parts of a programme side by side: each against all others, and how long until a change would show.

Whoever looks at ten parts finds one by chance; so "better" or "worse" than the others is said only where it
is certain with all parts counted in (Benjamini and Hochberg).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.scoring.domain.change import Verdict, compare, discoveries, plan
from services.scoring.domain.design import PLAIN, Design, fitted
from services.scoring.domain.histogram import Histogram
from services.scoring.domain.metrics import Score, score

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
    parts: Sequence[tuple[str, Histogram]], days: int | None, design: Design = PLAIN
) -> list[Segment]:
    """Set parts side by side.

    Args:
        parts: values with their answers, all of one metric.
        days: that the answers are of; None where it is not known.
        design: of all of them together.
    """
    whole = sum(one.n for _, one in parts)
    scores = [score(one, fitted((design, whole), one.n, None)) for _, one in parts]
    changes = []
    for place, (_, own) in enumerate(parts):
        others = sum((one for at, (_, one) in enumerate(parts) if at != place), Histogram.of(own.metric))
        changes.append(compare(score(others, fitted((design, whole), others.n, None)), scores[place]))
    chances = iter(discoveries([one.chance for one in changes if one.chance is not None]))
    found = []
    for (value, _), scored, change in zip(parts, scores, changes, strict=True):
        verdict = change.verdict
        if change.chance is not None and next(chances) > CERTAIN:
            verdict = Verdict.NO_DETECTABLE_CHANGE
        found.append(Segment(value, scored, change.points, verdict, _wait(scored, days)))
    return found


def _wait(own: Score, days: int | None) -> int | None:
    if days is None or not own.readable:
        return None
    return plan(own.metric, own.split, own.n / days, POINTS, own.design).days
