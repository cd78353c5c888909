"""`/v1/scores/compare`: two sides of one's own choice, with what can be said of their difference."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from services.scoring.api.numbers import ScoreNumbers
from services.scoring.domain.change import Change, Verdict
from services.scoring.domain.contrast import Contrast, Held, Reading, Told
from services.scoring.domain.definitions import Defined, Definition
from services.scoring.domain.histogram import Metric
from services.scoring.domain.rates import Rate
from services.scoring.domain.tables import COMPARISON
from services.scoring.handlers.comparing import Comparison, Facing, Read, compared
from services.scoring.handlers.seeing import may_see
from shared.contracts.model import Family
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.security.access import Principal, Scope, require_scope
from shared.web.caching import SAME, AskedAgain
from shared.web.exports import FILES, Format, sent

Reader = Annotated[Principal, Depends(require_scope(Scope.SCORES_READ))]
Faced = Annotated[Facing, Query()]


class ScoreOut(ScoreNumbers):
    """One side of one score; numbers are None while nobody answered, and where they are held back."""

    held: Held | None = Field(
        description="why numbers are held back: too few answers, or too few that are on one side alone"
    )
    needed: int = Field(description="how many more answers it takes before a number is shown")


class RateOut(BaseModel):
    """How many of those who were asked answered."""

    family: Family
    asked: int
    answered: int
    rate: float | None
    low: float | None
    high: float | None


class SideOut(BaseModel):
    """Which answers are on a side; both days included."""

    values: dict[str, str] = Field(description="dimension -> value that all of them have")
    without: dict[str, str] = Field(description="taken out are those that have all of this")
    start: date
    end: date
    sums: bool = Field(description="whether sums are kept for it; else its newest answers were read")
    since: date | None = Field(description="the day back to which answers were read, where sums are not kept")
    complete: bool = Field(description="whether all its answers are counted")
    rates: list[RateOut] | None = Field(description="None where response rates are not kept for it")


class DefinedOut(ScoreNumbers):
    """One side in another reading."""

    accounts: int


class ReadingOut(BaseModel):
    """Both sides in one of the four readings; a side is None where it would tell what few others said."""

    definition: Definition
    a: DefinedOut | None
    b: DefinedOut | None
    verdict: Verdict | None
    points: float | None
    low: float | None
    high: float | None


class ContrastOut(BaseModel):
    """One score on both sides; `points` are those of a less those of b."""

    family: Family
    metric: Metric
    a: ScoreOut
    b: ScoreOut
    in_both: int = Field(description="answers that are on both sides; the interval knows of them")
    verdict: Verdict | None = Field(description="of a against b; None where both are the same answers")
    points: float | None
    low: float | None = Field(description="lower end of the 95 % interval of the difference")
    high: float | None
    chance: float | None = Field(description="of a difference at least as large if there were none")
    detectable: float | None = Field(description="smallest difference that so many answers would show")
    readings: list[ReadingOut] = Field(description="in four ways, where each side is of one programme")


class ComparisonOut(BaseModel):
    """Two sides. Kinds of surveys and scales stay apart; verdicts have all comparisons counted in."""

    a: SideOut
    b: SideOut
    compared: list[ContrastOut]


def routes(db: Database, clock: Clock) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1/scores", tags=["scores"], route_class=AskedAgain)

    async def both(facing: Facing, principal: Principal) -> Comparison:
        a, b = facing.sides(clock.now().date())
        async with db.read() as conn:
            await may_see(conn, a.dimensions | b.dimensions, principal.scopes, field="where")
            return await compared(conn, a, b, facing.family.value if facing.family else None)

    @router.get("/compare", responses=SAME)
    async def compare(facing: Faced, principal: Reader) -> ComparisonOut:
        """Two cuts, two spans, or both: each score with n and interval, the difference and a verdict."""
        found = await both(facing, principal)
        return ComparisonOut(
            a=_side(found.a), b=_side(found.b), compared=[_contrast(one) for one in found.contrasts]
        )

    @router.get("/compare/file", response_class=StreamingResponse, responses=FILES)
    async def file(
        facing: Faced,
        principal: Reader,
        format: Annotated[Format, Query()] = Format.CSV,  # noqa: A002 - as addresses say
    ) -> StreamingResponse:
        """The same as `csv`, `ndjson` or `parquet`, a row for each reading of each score."""
        rows = [row for one in (await both(facing, principal)).contrasts for row in _rows(one)]
        return sent("scores-comparison", format, _page(rows), COMPARISON.columns)

    return router


async def _page(rows: list[dict[str, Any]]) -> AsyncIterator[list[dict[str, Any]]]:
    yield rows


def _side(read: Read) -> SideOut:
    side, extent = read.side, read.extent
    return SideOut(
        values=dict(side.cut), without=dict(side.but), start=side.span.first, end=side.span.last,
        sums=extent is None, since=extent.since if extent else None,
        complete=extent is None or extent.complete,
        rates=None if read.rates is None else [_rate(*one) for one in sorted(read.rates.items())],
    )  # fmt: skip


def _rate(family: str, found: Rate) -> RateOut:
    return RateOut(
        family=Family(family), asked=found.asked, answered=found.answered, rate=found.value, low=found.low,
        high=found.high,
    )  # fmt: skip


def _contrast(one: Contrast) -> ContrastOut:
    change = one.change
    return ContrastOut(
        family=Family(one.family), metric=one.metric, a=_told(one.a), b=_told(one.b), in_both=one.both,
        verdict=change.verdict if change else None, **_difference(change),
        chance=change.chance if change else None,
        detectable=change.smallest if change and not one.held else None,
        readings=[_reading(of) for of in one.readings],
    )  # fmt: skip


def _difference(change: Change | None) -> dict[str, float | None]:
    if change is None:
        return {"points": None, "low": None, "high": None}
    return {"points": change.points, "low": change.low, "high": change.high}


def _told(side: Told) -> ScoreOut:
    score = side.score
    numbers = (None, None, None) if side.held else (score.value, score.low, score.high)
    value, low, high = numbers
    return ScoreOut(n=score.n, score=value, low=low, high=high, held=side.held, needed=side.needed)


def _reading(one: Reading) -> ReadingOut:
    return ReadingOut(
        definition=one.definition, a=_defined(one.a), b=_defined(one.b),
        verdict=one.change.verdict if one.change else None, **_difference(one.change),
    )  # fmt: skip


def _defined(one: Defined | None) -> DefinedOut | None:
    if one is None:
        return None
    score = one.score
    value, low, high = (score.value, score.low, score.high) if score.readable else (None, None, None)
    return DefinedOut(n=score.n, accounts=one.accounts, score=value, low=low, high=high)


def _rows(one: Contrast) -> Iterator[dict[str, Any]]:
    """The score itself, and each other reading."""
    told = _contrast(one)
    common = {"family": one.family, "metric": one.metric.value}
    yield {
        **common, "reading": Definition.RESPONDENT.value, **_cells("a", told.a, told.a.held),
        **_cells("b", told.b, told.b.held), "in_both": one.both, **_end(told),
    }  # fmt: skip
    for reading in told.readings[1:]:
        yield {
            **common, "reading": reading.definition.value, **_cells("a", reading.a), **_cells("b", reading.b),
            "in_both": None, **_end(reading),
        }  # fmt: skip


def _cells(name: str, side: ScoreOut | DefinedOut | None, held: Held | None = None) -> dict[str, Any]:
    if side is None:
        return {f"{what}_{name}": None for what in ("n", "score", "low", "high")} | {
            f"held_{name}": Held.DIFFERENCE.value
        }
    return {
        f"n_{name}": side.n, f"score_{name}": side.score, f"low_{name}": side.low, f"high_{name}": side.high,
        f"held_{name}": held.value if held else None,
    }  # fmt: skip


def _end(told: ContrastOut | ReadingOut) -> dict[str, Any]:
    return {
        "points": told.points, "points_low": told.low, "points_high": told.high,
        "verdict": told.verdict.value if told.verdict else None,
    }  # fmt: skip
