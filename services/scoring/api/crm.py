"""`/v1/scores/crm`: what stands of scores in CRMs, what was refused and why, and asking again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.scoring.domain.crm import Kind
from services.scoring.store import crm
from services.scoring.store.crm import After
from shared.db.database import Database
from shared.security.access import Scope, require_scope
from shared.web.caching import SAME, AskedAgain
from shared.web.problems import Problem

State = Literal["waiting", "written", "refused"]


class CountOut(BaseModel):
    """Records of one kind in one state, and when one of them was last written."""

    kind: Kind
    state: State
    records: int
    changed_at: datetime | None


class TroubleOut(BaseModel):
    """Why nothing is written of one kind for now."""

    kind: Kind
    trouble: str
    failures: int = Field(description="how often the CRM failed in a row")
    held_until: datetime = Field(description="machine time until which it is left alone")


class CrmOut(BaseModel):
    """One CRM."""

    name: str
    connected: bool = Field(description="whether its access is in the settings now")
    troubles: list[TroubleOut] = Field(description="empty while it answers")
    records: list[CountOut]


class RecordOut(BaseModel):
    """What stands of a contact or an account in a CRM."""

    crm: str
    kind: Kind
    id: UUID = Field(description="of the contact or account")
    record: str = Field(description="the CRM's own id of it; empty where none was found")
    state: State
    reason: str = Field(description="why it was refused")
    attempts: int = Field(description="how often it was refused in a row")
    changed_at: datetime | None = Field(description="when figures were last written")
    next_at: datetime | None = Field(
        description="machine time at which it is looked at again; None: on change"
    )
    clearing: bool = Field(description="the person was erased: what was written is being taken back")


class RecordsOut(BaseModel):
    """Records in the order of CRM, kind and id; `next` is the cursor of what follows."""

    records: list[RecordOut]
    next: str | None


class AgainOut(BaseModel):
    """How many records are looked at again now."""

    records: int


def routes(db: Database, connected: Sequence[str]) -> APIRouter:
    """The routes; `connected` are the CRMs whose access is in the settings."""
    router = APIRouter(prefix="/v1/scores/crm", tags=["scores"], route_class=AskedAgain, responses=SAME)
    reads = [Depends(require_scope(Scope.ACCOUNTS_READ))]

    @router.get("", dependencies=reads)
    async def overview() -> list[CrmOut]:
        """Each CRM with its records by state, and why it is left alone where it fails."""
        async with db.read() as conn:
            counted, troubles = await crm.counted(conn), await crm.troubles(conn)
        names = sorted({*connected, *(row["target"] for row in (*troubles, *counted))})
        return [_crm(name, connected, troubles, counted) for name in names]

    @router.get("/records", dependencies=reads)
    async def records(
        name: Annotated[str, Query(alias="crm", max_length=40)] = "",
        kind: Kind | None = None,
        state: State | None = None,
        id: Annotated[UUID | None, Query(description="of a contact or an account")] = None,  # noqa: A002 - a name of the query
        cursor: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> RecordsOut:
        """Records a page at a time: `state=refused` lists what could not be written, with the reason."""
        wanted = (name, kind.value if kind else "", state or "")
        async with db.read() as conn:
            found = await crm.listed(conn, wanted, id, _after(cursor), limit + 1)
        shown = [RecordOut(crm=row["target"], **row) for row in found[:limit]]
        last = shown[-1] if len(found) > limit else None
        return RecordsOut(records=shown, next=f"{last.crm}/{last.kind}/{last.id}" if last else None)

    @router.post("/{name}/again", dependencies=[Depends(require_scope(Scope.ACCOUNTS_WRITE))])
    async def again(name: str) -> AgainOut:
        """Ask a CRM again at once, after somebody mended its access, a field or a record."""
        if name not in connected:
            raise Problem(
                404, "No such CRM is connected.", field="name",
                what_to_do=f"Use one of: {', '.join(sorted(connected)) or 'none is connected'}.",
            )  # fmt: skip
        async with db.begin() as tx:
            return AgainOut(records=await crm.again(tx.conn, name, db.machine.wall()))

    return router


def _crm(
    name: str,
    connected: Sequence[str],
    troubles: Sequence[Mapping[str, Any]],
    counted: Sequence[Mapping[str, Any]],
) -> CrmOut:
    return CrmOut(
        name=name,
        connected=name in connected,
        troubles=[TroubleOut(**row) for row in troubles if row["target"] == name],
        records=[CountOut(**row) for row in counted if row["target"] == name],
    )


def _after(cursor: str) -> After | None:
    if not cursor:
        return None
    try:
        target, kind, one = cursor.split("/")
        return After(target, Kind(kind).value, UUID(one))
    except ValueError:
        raise Problem(
            422, "This cursor is none of ours.", field="cursor", what_to_do="Send `next` of the page before."
        ) from None
