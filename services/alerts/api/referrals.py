"""`/v1/referrals`: whom promoters recommended us to, what it comes to, and all of it as a file (R75)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from services.alerts.api.acting import decoded, next_of
from services.alerts.domain.referrals import Referral, ReferralState, Sums, total
from services.alerts.store import referrals
from shared.db.database import Database
from shared.security.access import Principal, Scope, require_scope
from shared.tables import Column, Kind
from shared.web.exports import FILES, Format, sent
from shared.web.instants import Moment

Reader = Annotated[Principal, Depends(require_scope(Scope.TICKETS_READ))]
PAGE = 1000
SHAPE = (
    Column("id", Kind.TEXT, "of the referral"),
    Column("task_id", Kind.TEXT, "the task it was kept with"),
    Column("contact_id", Kind.TEXT, "the promoter"),
    Column("programme", Kind.TEXT, "whose answer led to the task"),
    Column("reference", Kind.TEXT, "by which whoever wrote it down knows it"),
    Column("state", Kind.TEXT, "sent, lead, won or lost"),
    Column("sent_at", Kind.INSTANT, "when they recommended us"),
    Column("lead_at", Kind.INSTANT, "since when it is a lead"),
    Column("won_at", Kind.INSTANT, "since when it is won"),
    Column("lost_at", Kind.INSTANT, "since when it is lost"),
)


class ReferralOut(BaseModel):
    """One referral; whom we were recommended to stands on the pages alone."""

    id: UUID
    task_id: UUID
    contact_id: UUID
    programme: str
    reference: str
    state: ReferralState
    sent_at: datetime
    lead_at: datetime | None
    won_at: datetime | None
    lost_at: datetime | None


class ReferralPage(BaseModel):
    """A part of the list; `next` asks for the following one, empty at the end."""

    referrals: list[ReferralOut]
    next: str = ""


class SumsOut(BaseModel):
    """What referrals come to; `sent` is the n of both shares, which are null where it is 0."""

    sent: int
    leads: int = Field(description="became a lead, those that were won among them")
    won: int
    lead_share: float | None
    conversion: float | None = Field(description="won of sent")


class SumsByProgramme(SumsOut):
    """All, and those of each programme."""

    programmes: dict[str, SumsOut]


def router(db: Database) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/referrals", tags=["tasks"])

    @routes.get("")
    async def list_referrals(
        _who: Reader,
        since: Moment | None = None,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = 100,
        after: Annotated[str, Query(max_length=200)] = "",
    ) -> ReferralPage:
        """Referrals, the newest first; `since` leaves out those that were sent before."""
        async with db.read() as conn:
            found = await referrals.listed(conn, since, limit, decoded(after))
        more = next_of(found[-1].sent_at, found[-1].id) if len(found) == limit else ""
        return ReferralPage(referrals=[out(one) for one in found], next=more)

    @routes.get("/sums")
    async def sums(_who: Reader, since: Moment | None = None) -> SumsByProgramme:
        """How many there are, how many became leads and how many were won, in all and by programme."""
        async with db.read() as conn:
            found = await referrals.sums(conn, since)
        return SumsByProgramme(
            **_sums(total(found)).model_dump(), programmes={one.programme: _sums(one) for one in found}
        )

    @routes.get("/table", response_class=StreamingResponse, responses=FILES)
    async def table(
        _who: Reader,
        since: Moment | None = None,
        format: Format = Format.CSV,  # noqa: A002 - as addresses say
    ) -> StreamingResponse:
        """All referrals as a file: `csv`, `ndjson` or `parquet`."""
        return sent("referrals", format, _pages(db, since), SHAPE)

    return routes


async def _pages(db: Database, since: datetime | None) -> AsyncIterator[list[dict[str, Any]]]:
    after: tuple[datetime, UUID] | None = None
    while True:
        async with db.read() as conn:
            found = await referrals.listed(conn, since, PAGE, after)
        if found:
            yield [_row(one) for one in found]
        if len(found) < PAGE:
            return
        after = found[-1].sent_at, found[-1].id


def _row(one: Referral) -> dict[str, Any]:
    ids = {"id": str(one.id), "task_id": str(one.task_id), "contact_id": str(one.contact_id)}
    return out(one).model_dump() | ids | {"state": one.state.value}


def out(one: Referral) -> ReferralOut:
    """A referral as programs see it."""
    return ReferralOut(
        id=one.id,
        task_id=one.task_id,
        contact_id=one.contact_id,
        programme=one.programme,
        reference=one.reference,
        state=one.state,
        sent_at=one.sent_at,
        lead_at=one.lead_at,
        won_at=one.won_at,
        lost_at=one.lost_at,
    )


def _sums(one: Sums) -> SumsOut:
    return SumsOut(
        sent=one.sent, leads=one.leads, won=one.won, lead_share=one.lead_share, conversion=one.conversion
    )
