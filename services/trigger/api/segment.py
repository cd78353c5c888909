"""Segment's tracking API, so that its libraries can feed us: `POST /v1/batch`, `/v1/track` and the like.

What a page of somebody's browser may send, and why so little, is in docs/webhooks.md.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request, Response

from services.trigger import metrics
from services.trigger.api.webhooks import Inbound
from services.trigger.domain.reports import Report
from services.trigger.webhooks import segment
from services.trigger.webhooks.body import BadBodyError, Node, read_object
from services.trigger.webhooks.contract import Rejected
from services.trigger.webhooks.segment import Browsers
from shared.runtime.service import Platform
from shared.security.schemes import Call, write_key
from shared.security.signatures import Signed
from shared.web.calls import MAX_BYTES
from shared.web.problems import Problem

NAME = "segment_api"
SINGLE = ("track", "identify", "group", "page", "screen", "alias")
ROUTES: Mapping[str, str] = {"batch": "", "import": "", **{name: name for name in SINGLE}}
SHORT: Mapping[str, str] = {"b": "", **{name[0]: name for name in SINGLE}}
"""How analytics.js names the same routes."""

GZIP = 31
GIVE_KEY = (
    "Give a write key of AFTERWORD_TRIGGER_SEGMENT_WRITE_KEYS as the user name of Basic authentication, "
    "or as writeKey in the body."
)
Answer = dict[str, bool | list[str]]


def router(platform: Platform, inbound: Inbound) -> APIRouter:
    """`/v1/batch`, and a route for each single call."""
    routes = APIRouter(prefix="/v1", tags=["webhooks"])
    for path, default in {**ROUTES, **SHORT}.items():
        _add(routes, platform, inbound, (path, default))
    return routes


def _add(routes: APIRouter, platform: Platform, inbound: Inbound, what: tuple[str, str]) -> None:
    path, default = what

    @routes.post(f"/{path}", name=f"segment_{path}", include_in_schema=path in ROUTES)
    async def receive(request: Request, response: Response) -> Answer:
        """Calls of Segment's libraries; the write key as Basic user, or in the body.

        What cannot be used is named.
        """
        readable = _readable_by(request, inbound.browsers)
        response.headers.update(readable)
        try:
            return await _received(request, platform, inbound, default)
        except Problem as problem:
            problem.headers = {**(problem.headers or {}), **readable}
            raise

    @routes.options(f"/{path}", include_in_schema=False)
    async def preflight(request: Request) -> Response:
        """Whether a page may send more than the plainest request."""
        _from_page(request.headers.get("origin", ""), inbound)
        return Response(status_code=204, headers=_readable_by(request, inbound.browsers))


async def _received(request: Request, platform: Platform, inbound: Inbound, default: str) -> Answer:
    call = await inbound.call(NAME, request, platform)
    by_page = _from_page(call.header("Origin"), inbound)
    found = _read(call, inbound)
    given = _key_in(found)
    of_servers = tuple(inbound.secrets.get(NAME, ()))
    inbound.proven(NAME, write_key(call, (*of_servers, *inbound.browsers.keys), given), GIVE_KEY)
    secret = isinstance(write_key(call, of_servers, given), Signed)
    if secret and by_page:
        raise inbound.refused(NAME, _given_away())
    if isinstance(found, BadBodyError):
        raise inbound.unreadable(NAME, str(found)) from found
    try:
        told = segment.batch(found, call.at, default, browsers=None if secret else inbound.browsers)
    except BadBodyError as error:
        raise inbound.unreadable(NAME, str(error)) from error
    return await _taken(platform, inbound, told)


async def _taken(platform: Platform, inbound: Inbound, told: Sequence[Report | Rejected | None]) -> Answer:
    reports = [one for one in told if isinstance(one, Report)]
    rejected = [one.reason for one in told if isinstance(one, Rejected)]
    if rejected and len(rejected) == len(told):
        raise inbound.unreadable(NAME, rejected[0])
    for reason in rejected:
        inbound.note_unreadable(NAME, reason)
    async with platform.db.begin() as tx:
        taken = await inbound.intake.take(tx, segment.SOURCE, reports)
    for what in taken:
        metrics.WEBHOOKS.labels(NAME, what).inc()
    metrics.WEBHOOKS.labels(NAME, "ignored").inc(told.count(None))
    return {"success": True, "rejected": rejected} if rejected else {"success": True}


def _readable_by(request: Request, browsers: Browsers) -> dict[str, str]:
    """What lets a page of an allowed origin send and read the answer; nothing for all others."""
    origin = request.headers.get("origin", "")
    if not browsers.keys:
        return {}
    if origin not in browsers.origins:
        return {"Vary": "Origin"}
    return {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Headers": "authorization, content-type, x-retry-count",
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Max-Age": "600",
    }


def _from_page(origin: str, inbound: Inbound) -> bool:
    """Whether a page of a browser calls.

    Raises:
        Problem: 403, it may not.
    """
    if not origin or origin in inbound.browsers.origins:
        return bool(origin)
    if inbound.browsers.keys:
        why = Problem(
            403,
            "Pages of this origin may not send events.",
            what_to_do="Name it in AFTERWORD_TRIGGER_SEGMENT_BROWSER_ORIGINS.",
        )
    else:
        why = Problem(
            403,
            "Events are not taken from pages in browsers.",
            what_to_do="Send from your server, or set AFTERWORD_TRIGGER_SEGMENT_BROWSER_KEYS, _ORIGINS and "
            "_EVENTS as docs/webhooks.md says.",
        )
    raise inbound.refused(NAME, why)


def _given_away() -> Problem:
    return Problem(
        403,
        "A write key of servers came from a page, where everybody can read it.",
        what_to_do="Replace it in AFTERWORD_TRIGGER_SEGMENT_WRITE_KEYS, and give pages one of "
        "AFTERWORD_TRIGGER_SEGMENT_BROWSER_KEYS.",
    )


def _read(call: Call, inbound: Inbound) -> Node | BadBodyError:
    """The body, or why there is none: who sends it is asked first, and the body may say so."""
    try:
        return read_object(_unpacked(call, inbound))
    except BadBodyError as error:
        return error


def _key_in(found: Node | BadBodyError) -> bytes:
    given = found.value.get("writeKey") if isinstance(found, Node) else None
    return given.encode(errors="replace") if isinstance(given, str) else b""


def _unpacked(call: Call, inbound: Inbound) -> bytes:
    """The body without its compression, no longer than a plain one may be.

    Raises:
        BadBodyError: It is not what its header says.
        Problem: 413, it is longer.
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
        much = Problem(413, "The body is larger than 1 MiB.", what_to_do="Send smaller batches.")
        raise inbound.refused(NAME, much)
    return body
