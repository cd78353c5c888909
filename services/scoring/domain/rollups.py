"""The declared list of sums: what every answer is counted under.

A cell is one histogram: metric, family, rollup, value and day. Family is part of every cell, so a
relationship score and a transactional one can never end up in one number (R6); metric is too, so scales
never mix (R2). The list is not the full cross: a dimension or pair that is not here is read from the facts.
There is no rollup by account and day: its cells would hold one answer each, as many as there are facts, so
an account's score is summed from its own facts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from operator import itemgetter
from typing import Any, NamedTuple

from services.scoring.domain.asks import Ask
from services.scoring.domain.facts import DIMENSIONS, Dims, Fact, State
from services.scoring.domain.histogram import BUCKETS, Metric

JOINT = "\x1f"
"""Between the two values of a pair; cannot occur in a name that came as text of a form or a file."""

Rollup = tuple[str, ...]

SINGLES: tuple[Rollup, ...] = tuple((dimension,) for dimension in DIMENSIONS)

PAIRS: tuple[Rollup, ...] = (
    ("programme", "tier"),
    ("programme", "persona"),
    ("programme", "industry"),
    ("programme", "region"),
    ("programme", "channel"),
    ("programme", "owner"),
    ("tier", "persona"),
)
"""Crossings that the pages and R62, R67 ask for."""

ROLLUPS: tuple[Rollup, ...] = ((), *SINGLES, *PAIRS)
"""All rollups; the empty one is the total of a family."""

RATE_ROLLUPS: tuple[Rollup, ...] = (
    (),
    ("programme",),
    ("owner",),
    ("tier",),
    ("persona",),
    ("channel",),
    ("programme", "tier"),
    ("programme", "owner"),
)
"""Rollups of response rates; the owner is the account manager whose rate is a target (R58)."""


def name_of(rollup: Rollup) -> str:
    """Name of a rollup in cells and addresses: `total`, `tier`, `programme+tier`."""
    return "+".join(rollup) or "total"


class Cell(NamedTuple):
    """Key of one histogram. Tuples sort, and cells are locked in that order."""

    metric: str
    family: str
    rollup: str
    value: str
    day: date


Deltas = dict[Cell, list[int]]
"""What a batch changes: bucket by bucket, never zero throughout."""


def deltas(gone: Iterable[Fact], come: Iterable[Fact]) -> Deltas:
    """What cells change when some facts replace others; a fact that does not count adds nothing."""
    found: Deltas = {}
    for sign, facts in ((1, come), (-1, gone)):
        bases: dict[tuple[str, str, date, int], int] = {}
        rows = [
            (bases.setdefault((metric, fact.family, fact.day, value), len(bases)), *fact.dims)
            for fact in facts
            if fact.counts
            for metric, value in fact.points
        ]
        slots = list(bases)
        for slot, rollup, value, times in _grouped(rows, ROLLUPS):
            metric, family, day, answer = slots[slot]
            cell = Cell(metric, family, rollup, value, day)
            found.setdefault(cell, [0] * BUCKETS)[answer - _LOWEST[metric]] += sign * times
    return {cell: buckets for cell, buckets in found.items() if any(buckets)}


_LOWEST = {metric.value: metric.lowest for metric in Metric}


def _grouped(
    rows: Sequence[tuple[Any, ...]], rollups: Iterable[Rollup]
) -> Iterator[tuple[int, str, str, int]]:
    """Count rows of (slot, dimensions ...) by slot and by the value of each rollup.

    Grouping is done by Counter and itemgetter: work in Python grows with cells rather than with answers.
    """
    if not rows:
        return
    for rollup in rollups:
        name = name_of(rollup)
        picked = [DIMENSIONS.index(dimension) + 1 for dimension in rollup]
        keys: Iterable[Any] = map(itemgetter(0, *picked), rows) if picked else ((row[0],) for row in rows)
        for key, times in Counter(keys).items():
            if all(key[1:]):
                yield key[0], name, JOINT.join(key[1:]), times


class RateCell(NamedTuple):
    """Key of one count of asks and answers; `day` is that of the hand-over, for requests that of asking."""

    family: str
    rollup: str
    value: str
    day: date


RateDeltas = dict[RateCell, list[int]]
"""Changes of requested, handed over, answered, held."""

_KINDS = {"requested": 0, "handed_over": 1, State.COUNTED: 2, State.HELD: 3}


def fact_rates(gone: Iterable[Fact], come: Iterable[Fact]) -> RateDeltas:
    """What counts of answered and held surveys change when some facts replace others."""
    return _rates(
        [
            (sign, _KINDS[fact.state], fact.family, fact.cohort, fact.dims)
            for sign, facts in ((1, come), (-1, gone))
            for fact in facts
            if fact.state in _KINDS
        ]
    )


def ask_rates(gone: Iterable[Ask], come: Iterable[Ask]) -> RateDeltas:
    """What counts of asked surveys change when more becomes known of some."""
    return _rates(
        [
            (sign, kind, ask.family, day, ask.dims)
            for sign, asks in ((1, come), (-1, gone))
            for ask in asks
            for kind, day in ((0, ask.requested_on), (1, ask.handed_on))
            if day is not None
        ]
    )


def _rates(seen: Iterable[tuple[int, int, str, date, Dims]]) -> RateDeltas:
    bases: dict[tuple[int, int, str, date], int] = {}
    rows = [
        (bases.setdefault((sign, kind, family, day), len(bases)), *dims)
        for sign, kind, family, day, dims in seen
    ]
    slots = list(bases)
    found: RateDeltas = {}
    for slot, rollup, value, times in _grouped(rows, RATE_ROLLUPS):
        sign, kind, family, day = slots[slot]
        found.setdefault(RateCell(family, rollup, value, day), [0, 0, 0, 0])[kind] += sign * times
    return {cell: counts for cell, counts in found.items() if any(counts)}


def split_value(rollup: str, value: str) -> Mapping[str, str]:
    """A cell's value as dimension -> value; the reverse of joining."""
    return dict(zip(rollup.split("+"), value.split(JOINT), strict=True)) if rollup != "total" else {}
