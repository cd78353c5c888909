"""Answers out: page by page for programs that keep up with them, and as files."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from services.collector.domain.listing import Filters, Standing
from services.collector.domain.tables import columns, row
from services.collector.handlers.listing import START, Listing
from shared.contracts.responses import Mood
from shared.security.access import Principal, require_scope
from shared.web.cursors import after_moment, moment_cursor
from shared.web.exports import FILES, Format, sent
from shared.web.instants import Moment
from shared.web.problems import Problem

Reader = Annotated[Principal, Depends(require_scope("responses:read"))]
Exporter = Annotated[Principal, Depends(require_scope("exports:read"))]


def _filters(  # noqa: PLR0913 - one argument per parameter of the address
    *,
    state: Standing = Standing.COUNTED,
    programme: Annotated[str, Query(max_length=100)] = "",
    account: Annotated[str, Query(max_length=100)] = "",
    contact: UUID | None = None,
    mood: Mood | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Filters:
    return Filters(state, programme, account, contact, None, mood, since, until)


Wanted = Annotated[Filters, Depends(_filters)]


def listing_routes(listing: Listing) -> APIRouter:
    """Lists and files of answers."""
    router = APIRouter(tags=["responses"])

    @router.get("/v1/responses")
    async def responses(
        _: Reader,
        wanted: Wanted,
        cursor: str = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> dict[str, Any]:
        """Answers in the order in which they last changed; `next` leads on, and later to what changed since.

        Answers of tests are left out, and the changes of the last ten seconds wait for the next page.
        """
        page = await listing.page(wanted, after_moment(cursor) or START, limit)
        following = moment_cursor(*page.last) if page.last else cursor
        return {"responses": page.items, "next": following, "more": len(page.items) == limit}

    @router.get("/v1/responses/export", response_class=StreamingResponse, responses=FILES)
    async def export(_: Exporter, wanted: Wanted, format: Format = Format.CSV) -> StreamingResponse:  # noqa: A002 - its name in the address
        """All answers that the filters leave, as a file: `csv`, `ndjson` or `parquet`."""
        return sent("responses", format, listing.every(wanted), columns(await listing.forms(wanted)), row)

    @router.get("/v1/responses/{survey}")
    async def response(_: Reader, survey: UUID) -> dict[str, Any]:
        """One announced answer with every version that was given, drafts included."""
        found = await listing.one(survey)
        if found is None:
            raise Problem(404, "There is no answer to this survey.")
        return found

    return router
