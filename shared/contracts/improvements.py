"""Improvement actions: what is changed because of what customers said."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import ClassVar

from shared.contracts.forms import QuestionType
from shared.contracts.model import Instant, Part, Payload
from shared.contracts.topics import Topic


class Stage(StrEnum):
    """How far an improvement is."""

    PROPOSED = "proposed"
    PLANNED = "planned"
    UNDER_WAY = "under_way"
    SHIPPED = "shipped"
    MEASURED = "measured"
    DROPPED = "dropped"


class Verdict(StrEnum):
    """What can be said of the effect of an improvement."""

    BETTER = "better"
    WORSE = "worse"
    NO_DETECTABLE_CHANGE = "no_detectable_change"
    TOO_FEW = "too_few"


class MeasuredEffect(Part):
    """A score in the 90 days before and after shipping: NPS in points, CSAT and CES in percent.

    `points` is the difference, `low` and `high` bound its 95 % interval; None where too few answered.
    """

    scale: QuestionType
    verdict: Verdict
    n_before: int
    n_after: int
    accounts_before: int
    accounts_after: int
    before: float | None = None
    after: float | None = None
    points: float | None = None
    low: float | None = None
    high: float | None = None


class ImprovementChanged(Payload):
    """An improvement action as it is now: opened, changed, moved on, or its effect counted (R76).

    `theme` is a cause of cases, a theme of comments or any other word, `programme` whose score it is to
    raise. `impact` and `effort` are 1 to 5, `owner` is a user's id. `effects` are there once the 90 days
    after shipping are over, counted at `counted_at`; they stay so unless it turns out not to be shipped.
    """

    TYPE: ClassVar[str] = "improvement.changed.v1"
    TOPIC: ClassVar[Topic] = Topic.IMPROVEMENTS
    AGGREGATE: ClassVar[str] = "improvement"

    improvement_id: str
    version: int
    stage: Stage
    title: str
    theme: str = ""
    programme: str = ""
    product: str = ""
    impact: int
    effort: int
    owner: str
    due_on: date
    opened_at: Instant
    shipped_at: Instant | None = None
    ended_at: Instant | None = None
    effects: tuple[MeasuredEffect, ...] = ()
    counted_at: Instant | None = None
    at: Instant
