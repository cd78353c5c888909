"""`/v1/programmes/{key}/links`: survey links without an invitation, for newsletters, codes and intranets."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel, ConfigDict, Field

from services.trigger.domain.shared_links import LONGEST, Why, link_id
from services.trigger.handlers.shared_links import (
    LABEL_CHARS,
    Asked,
    NoLinkError,
    address_of,
    make,
    take_back,
)
from services.trigger.store import shared_links as store
from shared.contracts.surveys import SurveyShared
from shared.runtime.ids import random_id
from shared.runtime.service import Platform
from shared.security.access import Principal, require_scope
from shared.web.problems import Problem

Reader = Annotated[Principal, Depends(require_scope("programmes:read"))]
Writer = Annotated[Principal, Depends(require_scope("programmes:write"))]
Reference = Annotated[str, Header(alias="idempotency-key", max_length=200)]
Reason = Annotated[Why, Query(description="Why it is taken back.")]


class LinkWanted(BaseModel):
    """A link: what it is for, for how many days, and the company of all who will answer, where one is known.

    `account` is its id, its backend's id or its name.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    label: str = Field(min_length=1, max_length=LABEL_CHARS)
    days: int = Field(default=90, ge=1, le=LONGEST.days)
    account: str = Field(default="", max_length=200)


class LinkShown(BaseModel):
    """A link as it stands; who made and who withdrew it is told by id."""

    id: UUID
    url: str
    label: str
    programme: str
    version: str
    account_id: str | None
    shared_at: datetime
    shared_by: str
    closes_at: datetime
    withdrawn_at: datetime | None
    withdrawn_by: str
    reason: str


def router(platform: Platform) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1", tags=["operation"])

    @routes.post("/programmes/{key}/links", status_code=201)
    async def share(key: str, wanted: LinkWanted, writer: Writer, reference: Reference = "") -> LinkShown:
        """Make a link to the programme as it is now. The same `Idempotency-Key` gives the same link."""
        ident = link_id(key, reference or str(random_id()))
        asked = Asked(wanted.label, timedelta(days=wanted.days), wanted.account)
        try:
            async with platform.db.begin() as tx:
                link = await make(tx, key, ident, asked, by=writer.actor)
        except NoLinkError as error:
            raise Problem(409, f"{error}.", field="account" if "account" in str(error) else "key") from error
        return _shown(platform, link)

    @routes.get("/programmes/{key}/links")
    async def links(key: str, _reader: Reader) -> list[LinkShown]:
        """The programme's links, the newest first."""
        async with platform.db.read() as conn:
            found = await store.listed(conn, key)
        return [_shown(platform, link) for link in found]

    @routes.delete("/programmes/{key}/links/{link}")
    async def withdraw(key: str, link: UUID, writer: Writer, reason: Reason = Why.NOT_NEEDED) -> LinkShown:
        """Take a link back for good: nobody can answer by it any more. What was answered stays."""
        async with platform.db.begin() as tx:
            found = await take_back(tx, key, link, reason, by=writer.actor)
        if found is None:
            raise Problem(404, "There is no such link.", field="link")
        return _shown(platform, found)

    return routes


def _shown(platform: Platform, link: SurveyShared) -> LinkShown:
    return LinkShown(
        id=UUID(link.link_id),
        url=address_of(platform.tokens, link, platform.settings.public_url),
        label=link.label,
        programme=link.snapshot.programme,
        version=link.snapshot.version,
        account_id=link.snapshot.account_id,
        shared_at=link.shared_at,
        shared_by=link.shared_by,
        closes_at=link.closes_at,
        withdrawn_at=link.withdrawn_at,
        withdrawn_by=link.withdrawn_by,
        reason=link.reason,
    )
