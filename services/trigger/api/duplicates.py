"""`/v1/contacts/{ref}/merge` and `/v1/contacts/duplicates`: entries that are, or may be, one person."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from services.trigger.api.conditions import Ref
from services.trigger.api.contacts import Reader, Writer, found_contact
from services.trigger.handlers.merging import merge
from services.trigger.store import merging
from shared.runtime.service import Platform
from shared.web.paths import PLAIN
from shared.web.problems import Problem


class Merge(BaseModel):
    """Whom to merge into the one who stays: by id, backend id, e-mail or phone."""

    model_config = ConfigDict(extra="forbid")

    other: Annotated[str, Field(min_length=1, max_length=320, pattern=PLAIN)]


class MergedShown(BaseModel):
    """Who stays, who leads there from now on, and how many plans were moved and called off as doubles."""

    contact_id: UUID
    merged: list[UUID]
    plans: int
    called_off: int


class Suspected(BaseModel):
    """Two entries that may be one person; `why` = the mark that both have."""

    one: UUID
    other: UUID
    why: str
    seen_at: datetime


def router(platform: Platform) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1", tags=["directory"])

    @routes.get("/contacts/duplicates")
    async def list_duplicates(
        _reader: Reader, limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> list[Suspected]:
        """Suspected duplicates that nobody decided about yet, newest first. Nothing is merged by guess."""
        async with platform.db.read() as conn:
            found = await merging.suspicions(conn, limit)
        return [Suspected(one=s.one, other=s.other, why=s.why, seen_at=s.seen_at) for s in found]

    @routes.delete("/contacts/duplicates/{one}/{other}", status_code=204)
    async def keep_apart(one: UUID, other: UUID, writer: Writer) -> None:
        """Two entries are two people; they are not suspected again."""
        async with platform.db.begin() as tx:
            if not await merging.settle_suspicion(tx.conn, (one, other), "apart", at=tx.now, by=writer.actor):
                raise Problem(404, "These two are not suspected.", field="other")

    @routes.post("/contacts/{ref}/merge")
    async def merge_contacts(ref: Ref, wanted: Merge, writer: Writer) -> MergedShown:
        """Merge another entry of a person into this one, for good: it cannot be undone.

        The one who stays keeps what was asked of either, an opt-out of either holds, nothing is asked twice,
        and the other's ids lead here.
        """
        async with platform.db.begin() as tx:
            survivor = await found_contact(tx.conn, platform, ref)
            other = await found_contact(tx.conn, platform, wanted.other, field="other")
            if survivor.erased_at or other.erased_at:
                raise Problem(410, "One of them was erased.", field="ref" if survivor.erased_at else "other")
            done = await merge(tx, platform.sealer, [survivor.id, other.id], by=writer.actor)
        if done is None:
            return MergedShown(contact_id=survivor.id, merged=[], plans=0, called_off=0)
        return MergedShown(
            contact_id=done.contact_id,
            merged=list(done.merged),
            plans=done.plans,
            called_off=done.called_off,
        )

    return routes
