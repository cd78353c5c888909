"""Answers that browsers and gateways keep and ask about again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from typing_extensions import override

OK = 200
NOT_CHANGED = 304
SAME: dict[int | str, dict[str, Any]] = {NOT_CHANGED: {"description": "Nothing has changed since."}}
"""What the description of an interface says of an answer that somebody has already."""

JSON = "application/json"
_OWN = {"Cache-Control": "private, no-cache"}
"""To be kept by whoever asked alone, and asked about each time."""


class AskedAgain(APIRoute):
    """A route whose JSON has an ETag: who comes back with it hears that nothing has changed.

    The answer is made all the same; what is saved is its way. One that has an ETag of its own keeps it.
    """

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            made = await handle(request)
            if request.method != "GET" or made.status_code != OK or made.media_type != JSON:
                return made
            kept = unless_known(request, bytes(made.body), JSON, _OWN, made.headers.get("ETag", ""))
            if kept.status_code == NOT_CHANGED:
                return kept
            for name in ("ETag", *_OWN):
                made.headers[name] = kept.headers[name]
            return made

        return handled


def unless_known(
    request: Request, body: bytes, media_type: str, headers: Mapping[str, str], etag: str = ""
) -> Response:
    """The body, or 304 for whoever has this very one already.

    Args:
        request: Its `If-None-Match` says what they have.
        body: What there is now.
        media_type: Of the body.
        headers: How it may be kept, and whatever else belongs to it.
        etag: Its validator, if it has one; else it is made from the body.
    """
    # Weak (RFC 9110, 8.8.1): the same page may travel packed or not.
    tag = etag or f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**headers, "ETag": tag}
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if known & {tag.removeprefix("W/"), "*"}:
        return Response(status_code=NOT_CHANGED, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
