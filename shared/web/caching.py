"""Answers that browsers and gateways keep and ask about again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import Response

NOT_CHANGED = 304


def unless_known(request: Request, body: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """The body, or 304 for whoever has this very one already.

    Args:
        request: Its `If-None-Match` says what they have.
        body: What there is now.
        media_type: Of the body.
        headers: How it may be kept, and whatever else belongs to it.
    """
    # Weak (RFC 9110, 8.8.1): the same page may travel packed or not.
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**headers, "ETag": f"W/{etag}"}
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if known & {etag, "*"}:
        return Response(status_code=NOT_CHANGED, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
