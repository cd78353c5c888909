"""`/v1/messages/uncertain`: messages of which nobody knows whether they left; decisions about them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.dispatch.domain.states import State
from services.dispatch.domain.uncertain import Bar, Decision, Standing, Why, why
from services.dispatch.handlers.uncertain import Listed, Uncertain, after_of, cursor_of
from services.dispatch.store import uncertain
from services.dispatch.store.uncertain import Made, Wanted
from shared.contracts.model import Channel
from shared.security.access import Principal, Scope, require_scope
from shared.web.paths import PLAIN

MAX_ROWS = 500
Reader = Annotated[Principal, Depends(require_scope(Scope.MESSAGES_READ))]
Decider = Annotated[Principal, Depends(require_scope(Scope.MESSAGES_WRITE))]


class DecisionMade(BaseModel):
    """A decision about a message, when, and whose: `user:` or `key:` with an id, `system` for a command."""

    number: int = Field(description="counted from 1 for each message")
    decision: Decision
    decided_by: str
    decided_at: datetime


class UncertainMessage(BaseModel):
    """A message of which nobody knows, or knew, whether it left; ids only, no personal data."""

    delivery_id: UUID
    survey_id: UUID | None
    kind: str
    step: int
    channel: Channel
    contact_id: UUID
    account_id: UUID | None
    programme: str
    state: State = Field(description="as it is now: decided ones may have been handed over since")
    requested_at: datetime
    since: datetime | None = Field(description="when it became uncertain; none once it is not")
    why: Why | None = Field(description="why nobody knows; none once it is known")
    detail: str = Field(description="what the channel said when the connection ended")
    last_try: str = Field(description="of the last call of the provider: unknown, refused, accepted ...")
    begun: bool = Field(description="its survey was begun, so somebody has its link")
    bar: Bar | None = Field(description="why it cannot be sent again; none when it can")
    not_sent_because: str | None = Field(description="why it was not sent again though that was decided")
    decisions: int = Field(description="how many were made; a new one names this number")
    decision: DecisionMade | None = Field(description="the last one or, with standing=decided, that one")


class UncertainPage(BaseModel):
    """A page of the list; `next` is `after` of the next one, none on the last."""

    open: int = Field(description="all that are to be decided")
    left: int = Field(description="all that were left as they are")
    messages: list[UncertainMessage]
    next: str | None


class DecisionWritten(BaseModel):
    """What is decided, knowing of so many decisions about the message (`decisions` of the list)."""

    decision: Decision
    decisions: int = Field(ge=0, le=1_000_000)


class DecisionKept(DecisionMade):
    """A decision as it stands; `repeated`: the same one had made it before, so it was not made again."""

    repeated: bool


def uncertain_routes(known: Uncertain) -> APIRouter:
    """The list, and what is decided about a message of it."""
    router = APIRouter(prefix="/v1/messages", tags=["dispatch"])

    @router.get("/uncertain")
    async def listed(
        _reader: Reader,
        standing: Standing = Standing.OPEN,
        programme: Annotated[str, Query(max_length=200, pattern=PLAIN)] = "",
        channel: Channel | None = None,
        after: Annotated[str, Query(max_length=500, pattern=PLAIN)] = "",
        limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 100,
    ) -> UncertainPage:
        """Messages that may or may not have left, newest first; none is ever sent again by itself."""
        wanted = Wanted(standing, programme, channel.value if channel else "", after_of(after))
        async with known.db.read() as conn:
            found = await known.listed(conn, wanted, limit)
            counts = await uncertain.counts(conn)
        return UncertainPage(
            open=counts[Standing.OPEN],
            left=counts[Standing.LEFT],
            messages=[_shown(one) for one in found],
            next=cursor_of(found[-1], standing) if len(found) == limit else None,
        )

    @router.post("/{delivery_id}/decision")
    async def decide(by: Decider, delivery_id: UUID, written: DecisionWritten) -> DecisionKept:
        """Say that a message arrived, have it sent once more, or leave it; it may be repeated safely.

        409 when somebody else has decided since, when it is not uncertain any more, or cannot be sent again.
        """
        kept = await known.decide(delivery_id, written.decision, written.decisions, by.actor)
        return DecisionKept(**_made(kept.made).model_dump(), repeated=not kept.fresh)

    return router


def _shown(one: Listed) -> UncertainMessage:
    row = one.row
    return UncertainMessage(
        delivery_id=row.delivery_id,
        survey_id=row.survey_id,
        kind=row.kind,
        step=row.step,
        channel=row.channel,
        contact_id=row.contact_id,
        account_id=row.account_id,
        programme=row.programme,
        state=row.state,
        requested_at=row.requested_at,
        since=row.since,
        why=why(row.lost_detail) if row.lost_detail else None,
        detail=row.lost_detail,
        last_try=row.last_outcome,
        begun=row.begun,
        bar=one.bar,
        not_sent_because=row.reason if row.since else None,
        decisions=row.decisions,
        decision=_made(row.made) if row.made else None,
    )


def _made(made: Made) -> DecisionMade:
    return DecisionMade(number=made.number, decision=made.decision, decided_by=made.by, decided_at=made.at)
