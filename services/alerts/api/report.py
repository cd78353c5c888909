"""`/v1/tickets/report`: how cases are taken care of and turn out, by team and owner, also as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from services.alerts.domain.care import Times
from services.alerts.handlers.applying import Desk
from services.alerts.handlers.reporting import NOBODY_KEY, Cut, Line, report, whose
from services.alerts.store.care import Whose
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.security.access import Principal, Scope, require_scope
from shared.tables import Column, Kind
from shared.web.exports import FILES, Format, sent
from shared.web.instants import Moment
from shared.web.problems import Problem
from shared.web.spans import LONGEST, USUAL

Reader = Annotated[Principal, Depends(require_scope(Scope.TICKETS_READ))]
SHAPE = (
    Column("by", Kind.TEXT, "all, team or owner"),
    Column("key", Kind.TEXT, "key of the team or id of the owner"),
    Column("name", Kind.TEXT, "of the team or owner"),
    Column("cases", Kind.COUNT, "opened in the span, each once more when opened again"),
    *(
        Column(f"{what}_{name}", kind, f"{meaning} {when}")
        for what, when in (
            ("taken", "until somebody took the case"),
            ("contacted", "until somebody spoke with the customer"),
            ("resolved", "until a person resolved it"),
        )
        for name, kind, meaning in (
            ("n", Kind.COUNT, "cases in which it happened:"),
            ("median_hours", Kind.REAL, "hours within which half of all cases have it:"),
            ("p90_hours", Kind.REAL, "hours within which nine in ten have it:"),
        )
    ),
    Column("late", Kind.COUNT, "nobody had spoken with the customer within the time that was promised"),
    Column("unresolved", Kind.COUNT, "the days to resolve it were over"),
    Column("opened_again", Kind.COUNT, "after they had ended"),
    Column("ended", Kind.COUNT, "cases that a person resolved in the span, or that a customer denied"),
    Column("confirmed", Kind.COUNT, "of them, by the customer"),
    Column("not_mended", Kind.COUNT, "of them, opened again by the customer's no"),
    Column("recovered", Kind.REAL, "share of the ended that the customer confirmed"),
)


class ReportFilters(BaseModel):
    """What the report is of."""

    model_config = ConfigDict(frozen=True)

    since: Moment | None = Field(None, description="30 days before `until` unless given")
    until: Moment | None = Field(None, description="now unless given; 400 days after `since` at most")
    team: str = Field("", max_length=40, description="key of one team; `-`: the rota that everybody shares")
    owner: UUID | Literal["", "-"] = Field("", description="cases of one owner; `-`: of nobody")

    @property
    def whose(self) -> Whose:
        """Whose cases are meant."""
        owner = self.owner if isinstance(self.owner, UUID) else None
        return whose(self.team, owner, nobody=self.owner == NOBODY_KEY)

    def span(self, now: datetime) -> tuple[datetime, datetime]:
        """From when until when.

        Raises:
            Problem: 422, it is no span or too long.
        """
        last = self.until or now
        first = self.since or last - USUAL
        if not timedelta() < last - first <= LONGEST:
            raise Problem(
                422,
                f"since: must lie before until, by {LONGEST.days} days at most.",
                what_to_do="Ask for a shorter span, or for several.",
                field="since",
            )
        return first, last


Asked = Annotated[ReportFilters, Query()]


class TimesOut(BaseModel):
    """How long something takes, in hours; cases that still wait count for as long as they were watched."""

    n: int = Field(description="cases in which it happened")
    waiting: int = Field(description="cases in which it did not, so far or at all")
    median_hours: float | None = Field(description="null while it cannot be known yet")
    p90_hours: float | None = Field(description="null also for fewer than 10 cases")


class LineOut(BaseModel):
    """One line: all, one team, or one owner."""

    by: Cut
    key: str
    name: str
    cases: int = Field(description="opened in the span, each once more when opened again")
    taken: TimesOut
    contacted: TimesOut
    resolved: TimesOut
    late: int = Field(description="nobody had spoken with the customer within the time that was promised")
    unresolved: int = Field(description="the days to resolve them were over")
    opened_again: int = Field(description="after they had ended")
    ended: int = Field(description="cases that a person resolved in the span, or that a customer denied")
    confirmed: int = Field(description="of the ended, by the customer")
    not_mended: int = Field(description="of the ended, opened again by the customer's no")
    recovered: float | None = Field(description="share of the ended that the customer confirmed")


class ReportOut(BaseModel):
    """The report: all first, then teams, then owners."""

    since: datetime
    until: datetime
    lines: list[LineOut]


def router(desk: Desk, db: Database, clock: Clock) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/tickets/report", tags=["tickets"])

    @routes.get("")
    async def get_report(_who: Reader, asked: Asked) -> ReportOut:
        """How quickly cases were taken care of, what was late, and what customers said; by team and owner."""
        now = clock.now()
        first, last = asked.span(now)
        async with db.snapshot() as conn:
            found = await report(desk, conn, (first, last), asked.whose, now)
        return ReportOut(since=first, until=last, lines=[_out(line) for line in found])

    @routes.get("/table", response_class=StreamingResponse, responses=FILES)
    async def table(
        _who: Reader,
        asked: Asked,
        format: Format = Format.CSV,  # noqa: A002 - as addresses say
    ) -> StreamingResponse:
        """The same as a file: `csv`, `ndjson` or `parquet`."""
        now = clock.now()
        return sent("cases", format, _pages(desk, db, asked, asked.span(now), now), SHAPE)

    return routes


async def _pages(
    desk: Desk, db: Database, asked: ReportFilters, span: tuple[datetime, datetime], now: datetime
) -> AsyncIterator[list[dict[str, Any]]]:
    async with db.snapshot() as conn:
        found = await report(desk, conn, span, asked.whose, now)
    yield [_row(_out(line)) for line in found]


def _row(line: LineOut) -> dict[str, Any]:
    flat = line.model_dump()
    for what in ("taken", "contacted", "resolved"):
        flat |= {f"{what}_{name}": value for name, value in flat.pop(what).items()}
    return flat | {"by": line.by.value}


def _out(line: Line) -> LineOut:
    care, counts = line.care, line.outcomes
    return LineOut(
        by=line.cut,
        key=line.key,
        name=line.name,
        cases=care.cases,
        taken=_times(care.taken),
        contacted=_times(care.contacted),
        resolved=_times(care.resolved),
        late=care.late,
        unresolved=care.unresolved,
        opened_again=care.again,
        ended=counts.cases,
        confirmed=counts.confirmed,
        not_mended=counts.reopened,
        recovered=counts.recovered,
    )


def _times(one: Times) -> TimesOut:
    return TimesOut(n=one.n, waiting=one.waiting, median_hours=_hours(one.median), p90_hours=_hours(one.most))


def _hours(span: timedelta | None) -> float | None:
    return None if span is None else round(span / timedelta(hours=1), 2)
