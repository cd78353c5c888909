"""The current fact of a response: what it says now, and whether it counts.

The newest version wins, whatever order it comes in. `submitted`, `amended` and `released` count; `held` and
`withdrawn` do not. Cells change by the difference between the fact that was and the fact that is, so a
repetition changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from services.scoring.domain.histogram import Metric

DIMENSIONS: tuple[str, ...] = (
    "programme", "touchpoint", "tier", "industry", "size", "owner", "persona", "job_function", "product",
    "service_type", "region", "locale", "channel",
)  # fmt: skip
"""Dimensions of a snapshot that scores are broken down by (R61)."""

Dims = tuple[str | None, ...]
"""Values of DIMENSIONS in their order; None or empty where not known."""

Context = tuple[tuple[str, str], ...]
"""Attributes of the event that its programme wants scores broken down by: names and values (R66)."""

MOST_ATTRIBUTES = 5


class State(StrEnum):
    """What became of a response."""

    COUNTED = "counted"
    HELD = "held"
    WITHDRAWN = "withdrawn"


STATES: Mapping[str, State] = {
    "response.submitted.v1": State.COUNTED,
    "response.amended.v1": State.COUNTED,
    "response.released.v1": State.COUNTED,
    "response.held.v1": State.HELD,
    "response.withdrawn.v1": State.WITHDRAWN,
}
"""Event type -> state. `response.started` says nothing that could be scored."""


class Scored(Protocol):
    """One scored answer, as contracts have it."""

    @property
    def question(self) -> str:
        """Id of the question."""
        ...

    @property
    def type(self) -> str:
        """Type of the question."""
        ...

    @property
    def value(self) -> int:
        """The raw answer."""
        ...

    @property
    def item(self) -> str:
        """Row of a matrix, empty otherwise."""
        ...


class Fact(NamedTuple):
    """A response as it stands.

    Attributes:
        response_id: whose fact this is.
        survey_id: the survey it answers.
        version: of the event that made it.
        state: whether it counts.
        family: kind of programme.
        day: UTC day of the first answer; an amendment stays on it, so that a trend does not move when
            somebody corrects an answer.
        cohort: UTC day of the hand-over, for response rates; the day of the answer where not known.
        dims: values of DIMENSIONS.
        points: (metric, answer), at most one a metric.
        context: attributes of the event that the programme names.
    """

    response_id: str
    survey_id: str
    version: int
    state: State
    family: str
    day: date
    cohort: date
    dims: Dims
    points: tuple[tuple[str, int], ...]
    context: Context = ()

    @property
    def counts(self) -> bool:
        """Whether it is in the scores."""
        return self.state is State.COUNTED


_METRICS = frozenset(metric.value for metric in Metric)
_RANGE = {metric.value: (metric.lowest, metric.highest) for metric in Metric}


def points_of(scores: Iterable[Scored], primary: str) -> tuple[tuple[str, int], ...]:
    """The one answer per metric that counts: the primary question's if it has that metric, else the first.

    A person who rates two things on one scale is still one person; the other answers stay in the facts.

    Raises:
        ValueError: an answer is off its scale; the message names the question.
    """
    found: dict[str, int] = {}
    for answer in scores:
        metric = answer.type
        if metric not in _METRICS or answer.item:
            continue
        low, high = _RANGE[metric]
        if not low <= answer.value <= high:
            raise ValueError(f"scores.{answer.question}: {answer.value} is not on the scale of {metric}")
        if metric not in found or answer.question == primary:
            found[metric] = answer.value
    return tuple(found.items())


def context_of(known: Mapping[str, str], named: Iterable[str]) -> Context:
    """The attributes that are named and known, five at most; what came with the event stays in the facts."""
    found = [(name, known[name]) for name in named if known.get(name) and "+" not in name]
    return tuple(found[:MOST_ATTRIBUTES])


def day_of(at: datetime) -> date:
    """The UTC day of an instant."""
    return at.date() if at.tzinfo is UTC else at.astimezone(UTC).date()


def merge(old: Fact, new: Fact) -> Fact | None:
    """What becomes of a known fact when another comes: None for an old version or a repetition.

    A withdrawal brings no answers of its own; the answers that were given stay on record.
    """
    if new.version <= old.version:
        return None
    return (
        new._replace(points=old.points, day=old.day, cohort=old.cohort)
        if new.state is State.WITHDRAWN
        else new
    )
