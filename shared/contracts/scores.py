"""Scores as they are now, and what was found in them."""

from __future__ import annotations

from typing import ClassVar

from shared.contracts.model import Family, Instant, Payload
from shared.contracts.topics import Topic


class ScoreChanged(Payload):
    """The state of one headline cell; `score` is None while nobody answered, never 0.

    `histogram` counts answers by value; `low` and `high` bound the 95 % interval.
    """

    TYPE: ClassVar[str] = "score.changed.v1"
    TOPIC: ClassVar[Topic] = Topic.SCORES
    AGGREGATE: ClassVar[str] = "cell"

    cell: str
    version: int
    metric: str
    family: Family
    dimension: str
    value: str
    n: int
    score: float | None
    low: float | None
    high: float | None
    histogram: dict[str, int]
    at: Instant


class ScoreDropped(Payload):
    """A score fell by more than chance explains: the last 30 days against the 90 before (R68).

    `chance` is that of such a fall where nothing changed, all scores that were looked at that day counted
    in; `low` and `high` bound the change; `happened` names releases, incidents and changes since.
    """

    TYPE: ClassVar[str] = "score.dropped.v1"
    TOPIC: ClassVar[Topic] = Topic.FINDINGS
    AGGREGATE: ClassVar[str] = "none"

    cell: str
    metric: str
    before: float
    after: float
    n_before: int
    n_after: int
    programme: str = ""
    family: Family | None = None
    low: float | None = None
    high: float | None = None
    chance: float | None = None
    happened: tuple[str, ...] = ()
    at: Instant


class ThemeRising(Payload):
    """A theme is named more often than before."""

    TYPE: ClassVar[str] = "theme.rising.v1"
    TOPIC: ClassVar[Topic] = Topic.FINDINGS
    AGGREGATE: ClassVar[str] = "none"

    theme: str
    n_before: int
    n_after: int
    at: Instant
