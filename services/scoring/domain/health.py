"""One number for how a customer is doing, and what it is made of (R7).

Each part is a share from 0 (bad) to 1 (good), or unknown. The weights are settings and are shown beside the
number; unknown parts are left out and the weights of the others grow, so that a missing survey is not taken
for a bad one. Scores of a few answers are drawn towards those of all customers, as if a few usual customers
had answered too: one angry user is a sign, not a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.scoring.domain.design import Voices
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import is_difference

USUAL_ANSWERS = 3
"""So many answers of usual customers stand beside those of the account."""

SILENT_DAYS = 180
"""After so many days without an answer nothing is left of that part."""

TICKETS_LIKE_ONE_OPEN = 4
"""So many support tickets in 90 days weigh as much as one unhappy customer's open ticket."""


class Part(StrEnum):
    """What health is made of."""

    NPS = "nps"
    CSAT = "csat"
    CES = "ces"
    TICKETS = "tickets"
    USAGE = "usage"
    SILENCE = "silence"


WEIGHTS: Mapping[Part, float] = {
    Part.NPS: 0.25,
    Part.CSAT: 0.2,
    Part.CES: 0.1,
    Part.TICKETS: 0.15,
    Part.USAGE: 0.2,
    Part.SILENCE: 0.1,
}

_METRICS = {Metric.NPS: Part.NPS, Metric.NPS5: Part.NPS, Metric.CSAT: Part.CSAT, Metric.CES: Part.CES}


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of one account.

    Attributes:
        said: what its people said, by metric.
        open_tickets: tickets of unhappy answers that are not resolved.
        support_tickets: support tickets of the last 90 days.
        usage: usage of the last 30 days as a share of that of the 90 before; None where nobody reports it.
        silent_days: days since the last answer; None where nobody ever answered.
    """

    said: Mapping[Metric, Voices]
    open_tickets: int = 0
    support_tickets: int = 0
    usage: float | None = None
    silent_days: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One part of a health score."""

    part: Part
    weight: float
    share: float | None


@dataclass(frozen=True, slots=True)
class Health:
    """0 (bad) to 100 (good), None where no voice is in it; `known` is the share of the weights."""

    value: int | None
    known: float
    parts: tuple[Measured, ...]


def health(signs: Signs, usual: Mapping[Metric, float], weights: Mapping[Part, float] = WEIGHTS) -> Health:
    """Weigh what is known of an account.

    Args:
        signs: what is known.
        usual: the share (0 to 1) that all customers reach, by metric.
        weights: weight of each part; 0 leaves it out.
    """
    shares: dict[Part, float] = {
        Part.TICKETS: 1 / (1 + signs.open_tickets + signs.support_tickets / TICKETS_LIKE_ONE_OPEN)
    }
    for metric, voices in signs.said.items():
        if voices.n:
            shares[_METRICS[metric]] = _drawn(metric, voices, usual.get(metric, 0.5))
    if signs.usage is not None:
        shares[Part.USAGE] = min(1.0, max(0.0, signs.usage))
    if signs.silent_days is not None:
        shares[Part.SILENCE] = max(0.0, 1 - signs.silent_days / SILENT_DAYS)
    parts = tuple(Measured(part, weights.get(part, 0.0), shares.get(part)) for part in Part)
    weight = sum(one.weight for one in parts if one.share is not None)
    heard = any(shares.get(part) is not None and weights.get(part, 0) > 0 for part in _METRICS.values())
    if not heard or weight <= 0:
        return Health(None, 0.0, parts)
    value = sum(one.weight * one.share for one in parts if one.share is not None) / weight
    return Health(round(100 * value), weight / sum(one.weight for one in parts), parts)


def share_of(metric: Metric, voices: Voices) -> float:
    """A score as a share from 0 to 1: NPS -100 is 0, +100 is 1."""
    if is_difference(metric):
        return ((voices.high - voices.low) / voices.n + 1) / 2
    return voices.high / voices.n


def _drawn(metric: Metric, voices: Voices, usual: float) -> float:
    own = share_of(metric, voices)
    return (voices.n * own + USUAL_ANSWERS * usual) / (voices.n + USUAL_ANSWERS)
