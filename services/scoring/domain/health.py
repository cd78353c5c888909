"""One number for how a customer is doing, and what it is made of (R7).

Each part is a share from 0 (bad) to 1 (good), or unknown. The weights are settings and are shown beside the
number; unknown parts are left out and the weights of the others grow, so that a missing survey is not taken
for a bad one. Scores of a few answers are drawn towards those of all customers, as if a few usual customers
had answered too: one angry user is a sign, not a verdict.

What people say of the relationship and what they say of an event are never one score (R6): each kind of
survey, and each scale, is a part of its own, drawn towards the usual answer to that very question. The kinds
that were answered share the weight of their part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.scoring.domain.design import Voices
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import is_difference
from shared.contracts.model import Family

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

KINDS: Mapping[Family, float] = {Family.RELATIONSHIP: 2, Family.TRANSACTIONAL: 1, Family.PROGRESS: 1}
"""How the kinds of surveys share the weight of a part: what is said of the whole counts as much as what is
said of events and of a project together."""

Question = tuple[Metric, Family]
"""What was asked, and by which kind of survey."""

_METRICS = {Metric.NPS: Part.NPS, Metric.NPS5: Part.NPS, Metric.CSAT: Part.CSAT, Metric.CES: Part.CES}


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of one account.

    Attributes:
        said: what its people said, by metric and kind of survey.
        open_tickets: tickets of unhappy answers that are not resolved.
        support_tickets: support tickets of the last 90 days.
        usage: usage of the last 30 days as a share of that of the 90 before; None where nobody reports it.
        silent_days: days since the last answer; None where nobody ever answered.
    """

    said: Mapping[Question, Voices]
    open_tickets: int = 0
    support_tickets: int = 0
    usage: float | None = None
    silent_days: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One part of a health score; `asked` is None where it is no survey, or where none was answered."""

    part: Part
    weight: float
    share: float | None
    asked: Question | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """0 (bad) to 100 (good), None where no voice is in it; `known` is the share of the weights."""

    value: int | None
    known: float
    parts: tuple[Measured, ...]


def health(signs: Signs, usual: Mapping[Question, float], weights: Mapping[Part, float] = WEIGHTS) -> Health:
    """Weigh what is known of an account.

    Args:
        signs: what is known.
        usual: the share (0 to 1) that all customers reach, by metric and kind of survey.
        weights: weight of each part; 0 leaves it out.
    """
    shares: dict[Part, float] = {
        Part.TICKETS: 1 / (1 + signs.open_tickets + signs.support_tickets / TICKETS_LIKE_ONE_OPEN)
    }
    if signs.usage is not None:
        shares[Part.USAGE] = min(1.0, max(0.0, signs.usage))
    if signs.silent_days is not None:
        shares[Part.SILENCE] = max(0.0, 1 - signs.silent_days / SILENT_DAYS)
    heard = {part: _heard(part, signs, usual, weights.get(part, 0.0)) for part in Part}
    parts = tuple(
        one
        for part in Part
        for one in heard[part] or (Measured(part, weights.get(part, 0.0), shares.get(part)),)
    )
    weight = sum(one.weight for one in parts if one.share is not None)
    if weight <= 0 or not any(one.weight > 0 for found in heard.values() for one in found):
        return Health(None, 0.0, parts)
    value = sum(one.weight * one.share for one in parts if one.share is not None) / weight
    return Health(round(100 * value), weight / sum(one.weight for one in parts), parts)


def _heard(part: Part, signs: Signs, usual: Mapping[Question, float], weight: float) -> tuple[Measured, ...]:
    """What was said to the questions of a part, each apart; empty where nobody answered one."""
    found = [
        (asked, voices)
        for asked, voices in sorted(signs.said.items(), key=_place)
        if voices.n and _METRICS[asked[0]] is part
    ]
    whole = sum(KINDS[family] for (_, family), _ in found)
    return tuple(
        Measured(
            part,
            weight * KINDS[asked[1]] / whole,
            _drawn(asked[0], voices, usual.get(asked, 0.5)),
            asked,
        )
        for asked, voices in found
    )


_KIND_PLACES = {family: place for place, family in enumerate(KINDS)}
_METRIC_PLACES = {metric: place for place, metric in enumerate(Metric)}


def _place(said: tuple[Question, Voices]) -> tuple[int, int]:
    """The relationship first, then in the order of scales."""
    metric, family = said[0]
    return _KIND_PLACES[family], _METRIC_PLACES[metric]


def share_of(metric: Metric, voices: Voices) -> float:
    """A score as a share from 0 to 1: NPS -100 is 0, +100 is 1."""
    if is_difference(metric):
        return ((voices.high - voices.low) / voices.n + 1) / 2
    return voices.high / voices.n


def _drawn(metric: Metric, voices: Voices, usual: float) -> float:
    own = share_of(metric, voices)
    return (voices.n * own + USUAL_ANSWERS * usual) / (voices.n + USUAL_ANSWERS)
