"""Cuts that no sum is kept for: read from the facts, the newest up to a bound, and said so."""

from __future__ import annotations

from dataclasses import dataclass

from services.scoring.domain.asking import NoSuchRollup, Span
from services.scoring.domain.facts import DIMENSIONS
from services.scoring.domain.histogram import Metric
from services.scoring.domain.rollups import CONTEXT, ROLLUPS, Rollup, name_of

MOST_FACTS = 20_000
"""Answers that are read for one cut at most, the newest first."""

MOST_DIMENSIONS = 3
ALWAYS = Span()

_OTHERS = {"stage": ("stage",), "account": ("account_id",), "version": ("version",)}
"""What can be cut by beside DIMENSIONS and attributes of the event, and where the snapshot has it."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Answers to be grouped by dimensions, one to three; `given` are wanted values, from the first on."""

    dimensions: Rollup
    given: tuple[str, ...] = ()
    programme: str = ""
    metric: Metric | None = None
    family: str | None = None
    span: Span = ALWAYS

    @property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """Where in a snapshot each dimension is."""
        return tuple(map(path_of, self.dimensions))


def cut(
    dimension: str,
    *,
    programme: str = "",
    value: str = "",
    metric: Metric | None = None,
    family: str | None = None,
    span: Span | None = None,
) -> Cut:
    """The cut that an address asks for: `size+region`, `context.carrier+tier`.

    Raises:
        NoSuchRollup: there is nothing of that name in an answer.
    """
    wanted = tuple(dimension.split("+"))
    for name in wanted:
        path_of(name)
    if len(wanted) > MOST_DIMENSIONS or len(set(wanted)) < len(wanted):
        raise NoSuchRollup(f"{dimension}: name one to three different dimensions")
    given = tuple(value.split("+", len(wanted) - 1)) if value else ()
    return Cut(wanted, given, programme, metric, family, span or Span())


def path_of(name: str) -> tuple[str, ...]:
    """Where in a snapshot a dimension is.

    Raises:
        NoSuchRollup: there is nothing of that name in an answer.
    """
    if name.startswith(CONTEXT) and name != CONTEXT:
        return ("context", name.removeprefix(CONTEXT))
    if name in DIMENSIONS:
        return (name,)
    if name in _OTHERS:
        return _OTHERS[name]
    kept = ", ".join(map(name_of, ROLLUPS))
    raise NoSuchRollup(
        f"there is no dimension {name!r}; there are {', '.join((*DIMENSIONS, *_OTHERS))} and {CONTEXT}<name>;"
        f" sums are kept by {kept}"
    )
