"""The declared list of sums: what every answer is counted under.

A cell is one histogram: metric, family, rollup, value and day. Family is part of every cell, so a
relationship score and a transactional one can never end up in one number (R6); metric is too, so scales
never mix (R2). The list is not the full cross: a dimension or pair that is not here is read from the facts,
up to a bound (`cutting.py`). To the declared rollups come those of up to five attributes of the event that
a programme names (carrier, agent, release), always within the programme.

There is no rollup by account and day: its cells would hold one answer each, as many as there are facts, so
an account's score is summed from its own facts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from sys import intern
from typing import Generic, NamedTuple, TypeVar, cast

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
    ("tier", "persona"),
    ("tier", "product"),
    ("product", "persona"),
)
"""Crossings that the pages and R62, R67 ask for."""

CONTEXT = "context."
"""Before the name of an attribute where a dimension is meant: `programme+context.carrier`."""

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
        for cell, counts in _counted(facts):
            buckets = found.setdefault(cell, [0] * BUCKETS)
            for bucket, times in enumerate(counts):
                buckets[bucket] += sign * times
    return {cell: buckets for cell, buckets in found.items() if any(buckets)}


def _counted(facts: Iterable[Fact]) -> Iterator[tuple[Cell, list[int]]]:
    table: _Table[tuple[str, str, date]] = _Table()
    attributes: Counter[tuple[Cell, int]] = Counter()
    for fact in facts:
        if fact.state is State.COUNTED:
            for metric, answer in fact.points:
                table.add((metric, fact.family, fact.day), answer - _LOWEST[metric], fact.dims)
            if fact.context:
                attributes.update(_attributes(fact))
    for (metric, family, day), rollup, value, counts in table.grouped(ROLLUPS, BUCKETS):
        yield Cell(metric, family, rollup, value, day), counts
    for (cell, bucket), times in attributes.items():
        yield cell, [0] * bucket + [times]


def _attributes(fact: Fact) -> Iterator[tuple[Cell, int]]:
    """Cells of the attributes that the programme names, with the bucket of the answer."""
    programme = fact.dims[0]
    for metric, answer in fact.points:
        for name, value in fact.context:
            rollup, joined = f"programme+{CONTEXT}{name}", f"{programme}{JOINT}{value}"
            yield Cell(metric, fact.family, rollup, joined, fact.day), answer - _LOWEST[metric]


_LOWEST = {metric.value: metric.lowest for metric in Metric}
_PICKED = {rollup: [DIMENSIONS.index(dimension) for dimension in rollup] for rollup in ROLLUPS}
_Base = TypeVar("_Base", bound=tuple[object, ...])


class _Table(Generic[_Base]):
    """What is to be counted, as columns: a base (the cell but for its value), a bucket, and the dimensions.

    Counting is left to Counter over columns: work in Python grows with cells, hardly with answers.
    """

    def __init__(self) -> None:
        self._slots: dict[tuple[_Base, int], int] = {}
        self._column: list[int] = []
        self._dims: list[Dims] = []

    def add(self, base: _Base, bucket: int, dims: Dims) -> None:
        """One more to count."""
        self._column.append(self._slots.setdefault((base, bucket), len(self._slots)))
        self._dims.append(dims)

    def grouped(self, rollups: Iterable[Rollup], width: int) -> Iterator[tuple[_Base, str, str, list[int]]]:
        """Base, rollup, value and counts by bucket of every cell; none where a dimension is not known."""
        if not self._column:
            return
        # The same few values come again and again: interned, they are compared by identity.
        columns = [[intern(value or "") for value in column] for column in zip(*self._dims, strict=True)]
        slots = list(self._slots)
        for rollup in rollups:
            cells: dict[tuple[_Base, tuple[str, ...]], list[int]] = {}
            picked = [columns[place] for place in _PICKED[rollup]]
            for (slot, *values), times in Counter(zip(self._column, *picked, strict=True)).items():
                base, bucket = slots[slot]
                key = (base, tuple(values))
                counts = cells.get(key)
                if counts is None:
                    counts = cells[key] = [0] * width
                counts[bucket] = times
            name = name_of(rollup)
            for (base, known), counts in cells.items():
                if all(known):
                    yield base, name, JOINT.join(known), counts


class RateCell(NamedTuple):
    """Key of one count of asks and answers; `day` is that of the hand-over, for requests that of asking."""

    family: str
    rollup: str
    value: str
    day: date


RateDeltas = dict[RateCell, list[int]]
"""Changes of requested, handed over, answered, held."""

_KINDS = {State.COUNTED: 2, State.HELD: 3}
_CHANNEL = DIMENSIONS.index("channel")
UNASKED = frozenset({"shared_link", "form"})
"""Channels of answers without an invitation: nobody was asked, so no rate has them."""


def fact_rates(gone: Iterable[Fact], come: Iterable[Fact]) -> RateDeltas:
    """What counts of answered and held surveys change when some facts replace others."""
    tables: list[tuple[int, _Table[tuple[str, date]]]] = [(1, _Table()), (-1, _Table())]
    for (_, table), facts in zip(tables, (come, gone), strict=True):
        for fact in facts:
            if fact.state in _KINDS and fact.dims[_CHANNEL] not in UNASKED:
                table.add((fact.family, fact.cohort), _KINDS[fact.state], fact.dims)
    return _rates(tables)


def ask_rates(gone: Iterable[Ask], come: Iterable[Ask]) -> RateDeltas:
    """What counts of asked surveys change when more becomes known of some."""
    tables: list[tuple[int, _Table[tuple[str, date]]]] = [(1, _Table()), (-1, _Table())]
    for (_, table), asks in zip(tables, (come, gone), strict=True):
        for ask in asks:
            for kind, day in ((0, ask.requested_on), (1, ask.handed_on)):
                if day is not None:
                    table.add((ask.family, day), kind, ask.dims)
    return _rates(tables)


def _rates(tables: Iterable[tuple[int, _Table[tuple[str, date]]]]) -> RateDeltas:
    found: RateDeltas = {}
    for sign, table in tables:
        for (family, day), rollup, value, counts in table.grouped(RATE_ROLLUPS, 4):
            cell = found.setdefault(RateCell(family, rollup, value, day), [0, 0, 0, 0])
            for kind, times in enumerate(counts):
                cell[kind] += sign * times
    return {cell: counts for cell, counts in found.items() if any(counts)}


Key = TypeVar("Key", bound=Cell | RateCell)
"""Of either kind of cell."""


def by_month(changes: Mapping[Key, Sequence[int]], before: date) -> dict[Key, Sequence[int]]:
    """What sums of closed months change with their days: those of days before the first that is open.

    A month's cell has the first of the month for its day.
    """
    found: dict[Key, Sequence[int]] = {}
    for cell, counts in changes.items():
        if cell.day < before:
            month = cast(Key, cell._replace(day=cell.day.replace(day=1)))
            known = found.get(month)
            found[month] = [a + b for a, b in zip(known, counts, strict=True)] if known else counts
    return found


def split_value(rollup: str, value: str) -> Mapping[str, str]:
    """A cell's value as dimension -> value; the reverse of joining."""
    return dict(zip(rollup.split("+"), value.split(JOINT), strict=True)) if rollup != "total" else {}
