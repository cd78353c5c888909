"""Segment's tracking API, so that its libraries can feed us: `POST /v1/batch`, `/v1/track` and the like."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from fastapi import APIRouter, Request

from services.trigger import metrics
from services.trigger.api.webhooks import Inbound
from services.trigger.domain.reports import Report
from services.trigger.webhooks import segment
from services.trigger.webhooks.body import BadBodyError
from services.trigger.webhooks.segment import Rejected
from shared.runtime.service import Platform
from shared.security.schemes import Call, write_key
from shared.web.calls import MAX_BYTES
from shared.web.problems import Problem

NAME = "segment_api"
SINGLE = ("track", "identify", "group", "page", "screen", "alias")
GZIP = 31
GIVE_KEY = (
    "Give a write key of AFTERWORD_TRIGGER_SEGMENT_WRITE_KEYS as the user name of Basic authentication."
)
Answer = dict[str, bool | list[str]]


def router(platform: Platform, inbound: Inbound) -> APIRouter:
    """`/v1/batch`, and a route for each single call."""
    routes = APIRouter(prefix="/v1", tags=["webhooks"])
    for path, default in (("batch", ""), ("import", ""), *((name, name) for name in SINGLE)):
        _add(routes, platform, inbound, (path, default))
    return routes


def _add(routes: APIRouter, platform: Platform, inbound: Inbound, what: tuple[str, str]) -> None:
    secrets = tuple(inbound.secrets.get(NAME, ()))
    path, default = what

    @routes.post(f"/{path}", name=f"segment_{path}")
    async def receive(request: Request) -> Answer:
        """Calls of Segment's libraries; the write key as Basic user. What cannot be used is named."""
        call = await inbound.call(NAME, request, platform)
        inbound.proven(NAME, write_key(call, secrets), GIVE_KEY)
        try:
            found = segment.batch(_unpacked(call), default)
        except BadBodyError as error:
            raise inbound.unreadable(NAME, str(error)) from error
        reports = [one for one in found if isinstance(one, Report)]
        rejected = [one.reason for one in found if isinstance(one, Rejected)]
        if rejected and len(rejected) == len(found):
            raise inbound.unreadable(NAME, rejected[0])
        for reason in rejected:
            inbound.note_unreadable(NAME, reason)
        async with platform.db.begin() as tx:
            taken = await inbound.intake.take(tx, segment.SOURCE, reports)
        _count(taken, ignored=found.count(None))
        return {"success": True, "rejected": rejected} if rejected else {"success": True}


def _count(taken: Sequence[str], *, ignored: int) -> None:
    for what in taken:
        metrics.WEBHOOKS.labels(NAME, what).inc()
    metrics.WEBHOOKS.labels(NAME, "ignored").inc(ignored)


def _unpacked(call: Call) -> bytes:
    """The body without its compression, no longer than a plain one may be.

    Raises:
        BadBodyError: It is not what its header says.
    """
    encoding = call.header("Content-Encoding").lower()
    if encoding in ("", "identity"):
        return call.body
    if encoding != "gzip":
        raise BadBodyError("content-encoding: must be gzip, or none")
    unpacker = zlib.decompressobj(GZIP)
    try:
        body = unpacker.decompress(call.body, MAX_BYTES)
    except zlib.error as error:
        raise BadBodyError("body: not readable as gzip") from error
    if unpacker.unconsumed_tail:
        raise Problem(413, "The body is larger than 1 MiB.", what_to_do="Send smaller batches.")
    return body
