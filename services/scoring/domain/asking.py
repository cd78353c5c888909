"""What somebody wants to know: which cells answer it, and which question has none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.scoring.domain.histogram import Metric
from services.scoring.domain.rollups import CONTEXT, JOINT, ROLLUPS, Rollup, name_of

FIRST_DAY = date(2000, 1, 1)
LAST_DAY = date(9999, 12, 31)
_ATTRIBUTE = ("programme", CONTEXT)


class NoSuchRollup(ValueError):
    """Scores are not kept by this combination; the message lists those that are."""


@dataclass(frozen=True, slots=True)
class Span:
    """Days, both included."""

    first: date = FIRST_DAY
    last: date = LAST_DAY


@dataclass(frozen=True, slots=True)
class Question:
    """Cells to sum up.

    Attributes:
        rollup: which sums.
        prefix: beginning of the cells' value, "" for all.
        exact: whether `prefix` is the whole value.
        metric: one metric, None for each.
        family: one family, None for each; families are never summed together.
        span: days.
    """

    rollup: str
    prefix: str = ""
    exact: bool = False
    metric: Metric | None = None
    family: str | None = None
    span: Span = Span()


def ask(
    *,
    programme: str = "",
    dimension: str = "",
    value: str = "",
    metric: Metric | None = None,
    family: str | None = None,
    span: Span | None = None,
) -> Question:
    """Find the cells for a set of filters.

    Without a dimension a programme's own score is meant; without a programme either, every programme's.
    `dimension="total"` is the sum of a family; `tier+persona` is a crossing, its value written `key+user`.

    Raises:
        NoSuchRollup: nothing is kept by this combination.
    """
    span = span or Span()
    if dimension == "total" and not programme:
        return Question("total", "", exact=True, metric=metric, family=family, span=span)
    if dimension in ("", "programme", "total"):
        name = programme or value
        return Question("programme", name, bool(name), metric, family, span)
    wanted = tuple(dimension.split("+"))
    given = value.split("+", len(wanted) - 1) if value else []
    if programme and "programme" not in wanted:
        wanted, given = ("programme", *wanted), [programme, *given]
    rollup = rollup_for(wanted)
    whole = len(given) == len(rollup)
    prefix = JOINT.join(given) + (JOINT if given and not whole else "")
    return Question(name_of(rollup), prefix, whole, metric, family, span)


def rollup_for(dimensions: Rollup) -> Rollup:
    """The rollup of some dimensions.

    Raises:
        NoSuchRollup: there is none.
    """
    kept = dimensions in ROLLUPS or (
        len(dimensions) == len(_ATTRIBUTE) and dimensions[0] == _ATTRIBUTE[0]
        and dimensions[1].startswith(CONTEXT)
    )  # fmt: skip
    if kept:
        return dimensions
    raise NoSuchRollup(
        f"no scores are kept by {name_of(dimensions)}; there are {', '.join(map(name_of, ROLLUPS))}"
    )


def crossings() -> tuple[str, ...]:
    """Dimensions that a single programme can be broken down by."""
    return tuple(rollup[1] for rollup in ROLLUPS if len(rollup) > 1 and rollup[0] == "programme")
