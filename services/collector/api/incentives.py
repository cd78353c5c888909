"""What was promised to whoever answers: lists for those who give it, and where they say that they did."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from services.collector.domain.incentives import COLUMNS, WORDS, Given, Refusal, State
from services.collector.handlers.incentives import Incentives
from services.collector.handlers.listing import END, START
from services.collector.store.incentives import Filters
from shared.security.access import Principal, Scope, require_scope
from shared.web.cursors import after_moment, moment_cursor
from shared.web.exports import FILES, Format, sent
from shared.web.instants import Moment
from shared.web.problems import Problem

Reader = Annotated[Principal, Depends(require_scope(Scope.RESPONSES_READ))]
Exporter = Annotated[Principal, Depends(require_scope(Scope.EXPORTS_READ))]
Giver = Annotated[Principal, Depends(require_scope(Scope.INCENTIVES_WRITE))]
# Refused here: an export has begun to answer when the database would refuse a text that it cannot hold.
_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
Name = Annotated[str, Query(max_length=100, pattern=_PRINTABLE)]
Limit = Annotated[int, Query(ge=1, le=500)]
_STATUS = {Refusal.UNKNOWN: 404, Refusal.AHEAD: 422}
_FIELD = {Refusal.AHEAD: "redeemed_at", Refusal.OTHERWISE: "reference"}


class Redemption(BaseModel):
    """What was given: when (left out: now), and its number in the system that gave it."""

    model_config = ConfigDict(extra="forbid")

    redeemed_at: Moment | None = None
    reference: Annotated[str, Field(max_length=200, pattern=_PRINTABLE)] = ""


def _filters(
    state: State | None = None,
    programme: Name = "",
    account: Name = "",
    contact: UUID | None = None,
) -> Filters:
    return Filters(state, programme, account, contact)


Wanted = Annotated[Filters, Depends(_filters)]


def incentive_routes(incentives: Incentives) -> APIRouter:
    """Lists, files, and what was given."""
    router = APIRouter(prefix="/v1/incentives", tags=["incentives"])
    _lists(router, incentives)
    _of_one(router, incentives)
    return router


def _lists(router: APIRouter, incentives: Incentives) -> None:
    @router.get("")
    async def listed(_: Reader, wanted: Wanted, cursor: str = "", limit: Limit = 100) -> dict[str, Any]:
        """Incentives in the order in which they last changed; `state=earned`: those that are to be given.

        `promised`: not answered yet; `held`: the answer is; `redeemed`: given; `lapsed`: over, or its person
        was erased. Changes of the last ten seconds wait for the next page; tests of programmes are left out.
        """
        page = await incentives.page(wanted, after_moment(cursor) or START, limit, follows=True)
        following = moment_cursor(*page.last) if page.last else cursor
        return {"incentives": page.items, "next": following, "more": len(page.items) == limit}

    @router.get("/export", response_class=StreamingResponse, responses=FILES)
    async def export(_: Exporter, wanted: Wanted, format: Format = Format.CSV) -> StreamingResponse:  # noqa: A002 - its name in the address
        """All incentives that the filters leave, as a file: `csv`, `ndjson` or `parquet`."""
        return sent("incentives", format, incentives.every(wanted), COLUMNS)

    @router.get("/counts")
    async def counts(_: Reader) -> dict[str, Any]:
        """How many were promised, earned and given, by programme; `earned` are still to be given."""
        return {"programmes": [asdict(one) for one in await incentives.counts()]}

    @router.get("/refusals")
    async def refusals(_: Reader, cursor: str = "", limit: Limit = 100) -> dict[str, Any]:
        """What could not be recorded as given, and why; the newest first."""
        found = await incentives.refusals(after_moment(cursor) or END, limit)
        last = found[-1] if found else None
        following = moment_cursor(last["last_at"], last["survey_id"]) if last else cursor
        return {"refusals": found, "next": following, "more": len(found) == limit}


def _of_one(router: APIRouter, incentives: Incentives) -> None:
    @router.get("/{survey}")
    async def one(_: Reader, survey: UUID) -> dict[str, Any]:
        """The incentive of one survey."""
        found = await incentives.one(survey)
        if found is None:
            raise Problem(404, "No such survey promised anything.")
        return found

    @router.put("/{survey}/redemption")
    async def redeem(giver: Giver, survey: UUID, body: Redemption | None = None) -> dict[str, Any]:
        """Record that it was given. The same again changes nothing; under another reference it is refused."""
        told = body or Redemption()
        outcome = await incentives.record(survey, told.redeemed_at, told.reference, giver.actor)
        if isinstance(outcome, Refusal):
            reason, what_to_do = WORDS[outcome]
            raise Problem(
                _STATUS.get(outcome, 409), reason, what_to_do=what_to_do, field=_FIELD.get(outcome, "")
            )
        found = await incentives.one(survey)
        assert found is not None  # noqa: S101 - it was recorded, and rows are never deleted
        return found | {"repeated": not isinstance(outcome, Given)}

    @router.delete("/{survey}/redemption", status_code=204)
    async def take_back(giver: Giver, survey: UUID) -> Response:
        """Record that it was not given after all. Repeating changes nothing."""
        if not await incentives.take_back(survey, giver.actor) and await incentives.one(survey) is None:
            raise Problem(404, "No such survey promised anything.")
        return Response(status_code=204)
