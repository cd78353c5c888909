"""How far a group of programmes has come towards its goal (R86): a value now against that of its baseline.

A goal on a score (`nps`, `csat`, `ces`) is one in points, `+5`, or in percent of the baseline, `+10%`. One on
what happens (`cancellations`, `renewals`) is counted by day, so that spans of unequal length compare.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from services.scoring.domain.asking import Span
from services.scoring.domain.histogram import Metric

EVENTS: Mapping[str, str] = {"cancellations": "churn", "churn": "churn", "renewals": "renewal"}
"""Metrics that are counts of what happened, and the kind of it."""

LEAST = 5
"""Answers or happenings of the baseline that are needed before anything is said."""
_DAYS = {"d": 1, "w": 7, "mo": 30, "y": 365}


class Progress(StrEnum):
    """What can be said of a goal."""

    REACHED = "reached"
    ON_THE_WAY = "on_the_way"
    NOT_YET = "not_yet"
    MISSED = "missed"
    NOT_ENOUGH_DATA = "not_enough_data"


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal as its group has it, with the day from which it is counted."""

    metric: str
    change: str
    baseline: str
    by: date
    since: date

    @property
    def before(self) -> Span:
        """The days of the baseline."""
        return Span(self.since - timedelta(days=days_of(self.baseline)), self.since - timedelta(days=1))

    def tells(self, found: Value) -> bool:
        """Whether a person is shown the number; of a few answers it is the count alone."""
        return found.value is not None and (metric_of(self) is None or found.n >= LEAST)

    def now(self, today: date) -> Span:
        """The days that count: since the goal was set, at most as many as the baseline has."""
        last = min(today, self.by)
        first = max(self.since, last - timedelta(days=days_of(self.baseline) - 1))
        return Span(first, last)


@dataclass(frozen=True, slots=True)
class Value:
    """What was measured in a span, from how much, with its 95 % interval; None where there was nothing."""

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """How a goal stands: the values, the one to be reached, and the share of the way that is behind."""

    before: Value
    now: Value
    target: float | None
    share: float | None
    progress: Progress


def days_of(span: str) -> int:
    """Days of `6mo`, `90d`, `1y`; 180 for what is none."""
    found = re.fullmatch(r"(\d{1,4})(d|w|mo|y)", span)
    return max(1, int(found[1]) * _DAYS[found[2]]) if found else 180


def metric_of(goal: Goal) -> Metric | None:
    """The score that a goal is about; None for one about what happens."""
    return next((metric for metric in Metric if metric.value == goal.metric), None)


def measured(goal: Goal, before: Value, now: Value, today: date) -> Reached:
    """Hold the value now against the goal."""
    if before.value is None or now.value is None or before.n < LEAST or (metric_of(goal) and now.n < LEAST):
        return Reached(before, now, None, None, Progress.NOT_ENOUGH_DATA)
    amount = float(goal.change.removesuffix("%"))
    wanted = abs(before.value) * amount / 100 if goal.change.endswith("%") else amount
    target = before.value + wanted
    share = (now.value - before.value) / wanted or 0.0 if wanted else 1.0  # no minus before a nought
    if share >= 1:
        progress = Progress.REACHED
    elif today > goal.by:
        progress = Progress.MISSED
    else:
        progress = Progress.ON_THE_WAY if share > 0 else Progress.NOT_YET
    return Reached(before, now, target, share, progress)
