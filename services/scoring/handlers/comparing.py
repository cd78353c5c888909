"""Two sides that an address names, read and held against each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from services.scoring.domain import windows
from services.scoring.domain.asking import FIRST_DAY, LAST_DAY, Span
from services.scoring.domain.contrast import (
    Contrast,
    Heard,
    Shared,
    contrast,
    judged,
    nothing,
    with_readings,
)
from services.scoring.domain.cutting import MOST_FACTS
from services.scoring.domain.definitions import NOBODY
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.rates import Rate, rate
from services.scoring.domain.sides import (
    NoSuchSide,
    Side,
    Sums,
    common,
    cut_of,
    others,
    rate_sums,
    score_sums,
)
from services.scoring.domain.windows import Window, span_of
from services.scoring.handlers.programmes import known_programme
from services.scoring.store import reports, sides
from services.scoring.store.sides import Extent, Kind
from shared.contracts.model import Family
from shared.db.database import Connection
from shared.web.paths import encoded
from shared.web.problems import Problem

NEWEST = 3000
"""Answers that are read in other ways of a side of which sums are kept; of others all that were read."""

PATH = "/scores/compare"
_T = TypeVar("_T")


class Days(StrEnum):
    """Days of the second side, told by those of the first."""

    SAME = "same"
    BEFORE = "before"
    YEAR_BEFORE = "year_before"


NotChosen = BeforeValidator(lambda text: text or None)
"""A form sends the field of a choice that was not made, too: empty."""

Name = Annotated[str, Field(max_length=200)]
Where = Annotated[list[Annotated[str, Field(max_length=300)]], Field(max_length=8)]
Day = Annotated[date | None, NotChosen]


class Facing(BaseModel):
    """What the address says of both sides; dates win over periods, and `around` over periods too."""

    model_config = ConfigDict(populate_by_name=True, frozen=True)

    family: Annotated[Family | None, NotChosen] = Field(
        None, description="kind of survey; all kinds where not given"
    )
    around: Day = Field(None, description="a day: up to 90 days from it on (a) against the 90 before it (b)")
    a_programme: Name = Field("", alias="a.programme")
    a_where: Where = Field(
        [], alias="a.where", description="`dimension:value`, as `tier:key`; up to three, all of which hold"
    )
    a_period: Annotated[Window | None, NotChosen] = Field(None, alias="a.period", description="ends today")
    a_first: Day = Field(None, alias="a.from", description="first day, UTC")
    a_last: Day = Field(None, alias="a.to", description="last day, UTC")
    b_others: Annotated[bool | None, NotChosen] = Field(
        None,
        alias="b.others",
        description="all others than a: other answers of its programme, or other programmes of the kind",
    )
    b_programme: Name = Field("", alias="b.programme")
    b_where: Where = Field([], alias="b.where")
    b_period: Annotated[Days | Window | None, NotChosen] = Field(
        None,
        alias="b.period",
        description="same: the days of a; before: as many before them; year_before: those of a year ago."
        " Without it the same, or before where the sides are alike",
    )
    b_first: Day = Field(None, alias="b.from")
    b_last: Day = Field(None, alias="b.to")

    def sides(self, today: date) -> tuple[Side, Side]:
        """Both sides.

        Raises:
            Problem: 422, there are no such answers.
        """
        a_cut = _named("a.where", lambda: cut_of(self.a_programme, self.a_where))
        b_cut = () if self.b_others else _named("b.where", lambda: cut_of(self.b_programme, self.b_where))
        a_days, b_days = self._spans(today, alike=not self.b_others and a_cut == b_cut)
        if self.b_others:
            return Side(a_days, a_cut), _named("b.others", lambda: others(a_cut, b_days))
        return Side(a_days, a_cut), Side(b_days, b_cut)

    def _spans(self, today: date, *, alike: bool) -> tuple[Span, Span]:
        since, until = windows.around(self.around, today) if self.around else (None, None)
        window = None if self.a_first or self.a_last or since else self.a_period or Window.DAYS_90
        a_days = _dates(self.a_first, self.a_last) or since or span_of(window or Window.ALL, today)
        chosen = self.b_period or (Days.BEFORE if alike else Days.SAME)
        b_days = _dates(self.b_first, self.b_last) or until or _other_days(chosen, a_days, window, today)
        for name, span in (("a", a_days), ("b", b_days)):
            if span.first > span.last:
                raise Problem(422, f"{name}.from: these days end before they begin.", field=f"{name}.from")
        return a_days, b_days

    def address(self, changes: Mapping[str, object] | None = None) -> str:
        """This comparison with something changed; what is not given is left out."""
        query = query_of({**self.model_dump(by_alias=True, mode="json"), **(changes or {})})
        return f"{PATH}?{query}" if query else PATH

    @property
    def query(self) -> str:
        """What stands behind the question mark."""
        return self.address().partition("?")[2]


def query_of(parameters: Mapping[str, object]) -> str:
    """Parameters as an address has them, without those that say nothing."""
    told = {
        name: [one for one in value if one] if isinstance(value, list) else "true" if value is True else value
        for name, value in parameters.items()
        if value
    }
    return encoded(told)


def _named(field: str, make: Callable[[], _T]) -> _T:
    try:
        return make()
    except NoSuchSide as error:
        raise Problem(422, f"{field}: {error}.", field=field) from error


def _dates(first: date | None, last: date | None) -> Span | None:
    return Span(first or FIRST_DAY, last or LAST_DAY) if first or last else None


def _other_days(chosen: Days | Window, span: Span, window: Window | None, today: date) -> Span:
    if chosen is Days.SAME:
        return span
    if isinstance(chosen, Window):
        return span_of(chosen, today)
    found = windows.before(span, window) if chosen is Days.BEFORE else windows.year_before(span)
    if found is None:
        raise Problem(422, "b.period: there is nothing before all time; choose other days.", field="b.period")
    return found


@dataclass(frozen=True, slots=True)
class Read:
    """One side as it was read.

    Attributes:
        side: what it is.
        extent: how far back its answers were read; None where sums are kept.
        rates: of those who were asked how many answered, by kind of survey; None where it is not kept.
    """

    side: Side
    extent: Extent | None
    rates: Mapping[str, Rate] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides and what can be said of them.

    `learned_at` is when it was learned how alike colleagues answer, where that is kept for a while.
    """

    a: Read
    b: Read
    contrasts: Sequence[Contrast]
    learned_at: datetime | None = None

    @property
    def same(self) -> bool:
        """Whether both sides are the same answers."""
        return self.a.side == self.b.side

    @property
    def overlap(self) -> bool:
        """Whether there are answers on both sides."""
        return any(one.both for one in self.contrasts)

    @property
    def apart(self) -> bool:
        """Whether the sides answered different things: both something, and nothing is on both."""
        answered = [(one.a.score.n > 0, one.b.score.n > 0) for one in self.contrasts]
        return any(a for a, _ in answered) and any(b for _, b in answered) and (True, True) not in answered


async def compared(conn: Connection, a: Side, b: Side, family: str | None) -> Comparison:
    """Read two sides and hold them against each other.

    How alike colleagues answer is what everything else that tells scores of these answers says.
    """
    both = (a, b)
    sums = [score_sums(side) for side in both]
    extents = [
        None if kept else await sides.extent(conn, side, family, MOST_FACTS)
        for side, kept in zip(both, sums, strict=True)
    ]
    scores = await _scores(conn, both, sums, family)
    for name, side, seen in zip(("a", "b"), both, scores, strict=True):
        await known_programme(conn, side.programme, seen, field=f"{name}.programme")
    heard = await _heard(conn, both, scores, extents, family)
    shared = await _shared(conn, a, b, family)
    found = judged(_held_against(both, heard, shared))
    if a.programme and b.programme:
        found = await _read_otherwise(conn, both, found, sums, family)
    rates = await _rates(conn, both, family)
    read = [Read(*one) for one in zip(both, extents, rates, strict=True)]
    learned_at = reports.learned_at(one.clustering for side in heard for one in side.values())
    return Comparison(read[0], read[1], found, learned_at)


async def _scores(
    conn: Connection, both: Sequence[Side], sums: Sequence[Sums | None], family: str | None
) -> list[Mapping[Kind, Histogram]]:
    kept = [(one, side.span) for side, one in zip(both, sums, strict=True) if one]
    added = iter(await sides.added_up(conn, kept, family))
    return [
        next(added) if one else await sides.counted(conn, side, family, MOST_FACTS)
        for side, one in zip(both, sums, strict=True)
    ]


async def _heard(
    conn: Connection,
    both: Sequence[Side],
    scores: Sequence[Mapping[Kind, Histogram]],
    extents: Sequence[Extent | None],
    family: str | None,
) -> list[dict[Kind, Heard]]:
    found = []
    people = await _people(conn, both, family)
    for side, told, seen, asked in zip(both, scores, extents, people, strict=True):
        read = None if seen is None or seen.complete else seen.answers
        alike = await sides.alike(conn, side, family, told, read)
        found.append(
            {
                kind: Heard(
                    one, alike[kind], asked if kind[0] == Family.RELATIONSHIP.value and asked else None
                )
                for kind, one in told.items()
            }
        )
    return found


async def _people(conn: Connection, both: Sequence[Side], family: str | None) -> list[int]:
    """People who could have answered on each side, as far as it is known: of one programme each."""
    found = []
    for side in both:
        sums = rate_sums(side) if side.programme and not side.but else None
        if sums is None or family not in (None, Family.RELATIONSHIP.value):
            found.append(0)
            continue
        rollup, value = sums.add
        (could,) = await reports.people(conn, (side.span,), value, rollup)
        found.append(sum(could.values()))
    return found


async def _shared(conn: Connection, a: Side, b: Side, family: str | None) -> Mapping[Kind, Shared] | None:
    """Answers on both sides; None where there cannot be any."""
    side = common(a, b)
    if side is None:
        return None
    if sums := score_sums(side):
        (found,) = await sides.added_up(conn, [(sums, side.span)], family)
        return {kind: Shared(one) for kind, one in found.items()}
    seen = await sides.extent(conn, side, family, MOST_FACTS)
    told = await sides.counted(conn, side, family, MOST_FACTS)
    return {kind: Shared(one, seen.complete) for kind, one in told.items()}


def _held_against(
    both: Sequence[Side],
    heard: Sequence[Mapping[Kind, Heard]],
    shared: Mapping[Kind, Shared] | None,
) -> list[Contrast]:
    a, b = both
    parts = a.span == b.span and b.but == a.cut
    found = []
    for kind in sorted({*heard[0], *heard[1]}, key=_order):
        family, metric = kind
        mine, theirs = (one.get(kind, nothing(metric)) for one in heard)
        found.append(
            contrast(family, mine, theirs, shared.get(kind) if shared else None, parts=parts)
        )  # fmt: skip
    return found


def _order(kind: Kind) -> tuple[int, int]:
    return list(Family).index(Family(kind[0])), list(Metric).index(kind[1])


async def _read_otherwise(
    conn: Connection,
    both: Sequence[Side],
    found: Sequence[Contrast],
    sums: Sequence[Sums | None],
    family: str | None,
) -> list[Contrast]:
    metrics = sorted({one.metric for one in found if one.change and not one.held})
    a, b = [
        await sides.told(conn, side, family, metrics, NEWEST if kept else MOST_FACTS)
        for side, kept in zip(both, sums, strict=True)
    ]
    return [
        with_readings(one, a.get(key, NOBODY), b.get(key, NOBODY))
        for one in found
        for key in ((one.metric, one.family),)
    ]


async def _rates(
    conn: Connection, both: Sequence[Side], family: str | None
) -> list[Mapping[str, Rate] | None]:
    sums = [rate_sums(side) for side in both]
    kept = [(one, side.span) for side, one in zip(both, sums, strict=True) if one]
    asked = iter(await sides.asked(conn, kept, family))
    return [{kind: rate(one) for kind, one in next(asked).items()} if one else None for one in sums]
