"""Headlines: the score of a metric, family and programme, and how its change is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import score
from shared.contracts.model import Family
from shared.contracts.scores import ScoreChanged


@dataclass(frozen=True, slots=True)
class Headline:
    """The present state of a headline."""

    metric: Metric
    family: str
    programme: str
    version: int
    histogram: Histogram


def told(headline: Headline, at: datetime) -> ScoreChanged:
    """A headline as its event."""
    found = score(headline.histogram)
    return ScoreChanged(
        cell=f"{headline.metric}/{headline.family}/{headline.programme}",
        version=headline.version,
        metric=headline.metric.value,
        family=Family(headline.family),
        dimension="programme",
        value=headline.programme,
        n=found.n,
        score=found.value,
        low=found.low,
        high=found.high,
        histogram=headline.histogram.by_value(),
        at=at,
    )
