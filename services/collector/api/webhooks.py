"""Webhooks: where a customer's own programs want to hear of answers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.collector.domain.webhooks import RESPONSES, Topic, message_id
from services.collector.handlers.webhooks import BEGINNING, Webhooks, Wish
from services.collector.store.webhooks import Endpoint
from shared.security.access import Principal, require_scope
from shared.web.cursors import after_of, cursor_of
from shared.web.instants import Moment
from shared.web.problems import Problem

Reader = Annotated[Principal, Depends(require_scope("settings:read"))]
Admin = Annotated[Principal, Depends(require_scope("settings:write"))]
State = Literal["", "pending", "delivered", "failed"]
_TICK = timedelta(microseconds=1)
_ZERO = UUID(int=0)
T = TypeVar("T")


class Changes(BaseModel):
    """Fields of an endpoint to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(max_length=500)] | None = None
    topics: Annotated[list[Topic], Field(min_length=1)] | None = None
    programmes: Annotated[list[str], Field(max_length=100)] | None = None
    description: Annotated[str, Field(max_length=200)] | None = None
    active: bool | None = None


class New(BaseModel):
    """A new endpoint: all response events of all programmes, unless it says otherwise."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(max_length=500)]
    topics: Annotated[list[Topic], Field(min_length=1)] | None = None
    programmes: Annotated[list[str], Field(max_length=100)] | None = None
    description: Annotated[str, Field(max_length=200)] | None = None


class Replay(BaseModel):
    """What to tell again: one delivery, or those of a state since a time."""

    model_config = ConfigDict(extra="forbid")

    delivery: UUID | None = None
    state: State = "failed"
    since: Moment | None = None


def webhook_routes(webhooks: Webhooks) -> APIRouter:
    """Endpoints, their calls and attempts."""
    router = APIRouter(tags=["webhooks"])
    _of_endpoints(router, webhooks)
    _of_secrets(router, webhooks)
    _of_calls(router, webhooks)
    return router


def _of_endpoints(router: APIRouter, webhooks: Webhooks) -> None:
    @router.get("/v1/webhooks")
    async def endpoints(_: Reader) -> dict[str, Any]:
        """All endpoints, with what waits and what failed."""
        return {"webhooks": [_told(one) | how for one, how in await webhooks.every()]}

    @router.post("/v1/webhooks", status_code=201)
    async def add(admin: Admin, wanted: New) -> dict[str, Any]:
        """Add an endpoint; `secret` is what its calls are signed with."""
        endpoint, secret = await webhooks.add(_wish(webhooks, wanted), admin.name)
        return _told(endpoint) | {"secret": secret}

    @router.patch("/v1/webhooks/{endpoint}")
    async def change(admin: Admin, endpoint: UUID, wanted: Changes) -> dict[str, Any]:
        """Change an endpoint, or switch it off and on; what waited goes when it is on again."""
        return _told(_found(await webhooks.change(endpoint, _wish(webhooks, wanted), admin.name)))

    @router.delete("/v1/webhooks/{endpoint}", status_code=204)
    async def remove(admin: Admin, endpoint: UUID) -> None:
        """Remove an endpoint with the log of its calls."""
        if not await webhooks.remove(endpoint, admin.name):
            _found(None)


def _of_secrets(router: APIRouter, webhooks: Webhooks) -> None:
    @router.get("/v1/webhooks/{endpoint}/secret")
    async def secret(_: Admin, endpoint: UUID) -> dict[str, str]:
        """The secret that calls are signed with."""
        return {"secret": _found(await webhooks.secret(endpoint))}

    @router.post("/v1/webhooks/{endpoint}/rotate")
    async def rotate(admin: Admin, endpoint: UUID) -> dict[str, str]:
        """A new secret; for a day calls are signed with the old one too."""
        return {"secret": _found(await webhooks.rotate(endpoint, admin.name))}


def _of_calls(router: APIRouter, webhooks: Webhooks) -> None:
    @router.post("/v1/webhooks/{endpoint}/test", status_code=202)
    async def test(_: Admin, endpoint: UUID) -> dict[str, str]:
        """Queue a call of type `webhook.test`."""
        return {"delivery": str(_found(await webhooks.test(endpoint)))}

    @router.get("/v1/webhooks/{endpoint}/deliveries")
    async def deliveries(
        _: Reader,
        endpoint: UUID,
        state: State = "",
        cursor: str = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 100,
    ) -> dict[str, Any]:
        """What an endpoint was or will be told, oldest first, each with its attempts."""
        rows = await webhooks.deliveries(endpoint, state, _place(cursor), limit)
        last = rows[-1] if rows else None
        following = cursor_of((last["made_at"] - BEGINNING) // _TICK, last["id"]) if last else cursor
        told = [row | {"message_id": message_id(row["id"])} for row in rows]
        return {"deliveries": told, "next": following, "more": len(rows) == limit}

    @router.post("/v1/webhooks/{endpoint}/replay", status_code=202)
    async def replay(admin: Admin, endpoint: UUID, wanted: Replay) -> dict[str, int]:
        """Tell again, under the same ids: one delivery, or all of a state since a time."""
        count = await webhooks.replay(
            endpoint,
            admin.name,
            delivery=wanted.delivery,
            state="" if wanted.delivery else wanted.state,
            since=wanted.since or BEGINNING,
        )
        return {"queued": _found(count)}


def _wish(webhooks: Webhooks, wanted: Changes | New) -> Wish:
    if wanted.url is not None and (fault := webhooks.fault(wanted.url)):
        raise Problem(422, f"url: {fault}.", field="url")
    if wanted.topics and Topic.TEST in wanted.topics:
        names = ", ".join(RESPONSES)
        raise Problem(422, f"topics: choose from {names}.", field="topics")
    active = wanted.active if isinstance(wanted, Changes) else None
    return Wish(wanted.url, wanted.topics, wanted.programmes, wanted.description, active)


def _found(value: T | None) -> T:
    if value is None:
        raise Problem(404, "There is no such webhook.")
    return value


def _told(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": str(endpoint.id),
        "url": endpoint.url,
        "topics": list(endpoint.topics),
        "programmes": list(endpoint.programmes),
        "description": endpoint.description,
        "active": endpoint.active,
        "off_because": endpoint.off_because,
        "created_at": endpoint.created_at,
        "created_by": endpoint.created_by,
    }


def _place(cursor: str) -> tuple[datetime, UUID]:
    after = after_of(cursor)
    if after is None:
        return BEGINNING, _ZERO
    try:
        return BEGINNING + int(after[0]) * _TICK, after[1]
    except (OverflowError, ValueError) as error:
        raise Problem(422, "cursor: take it from `next` of the page before.", field="cursor") from error
