"""A signed request as its sender made it, read no further than it may be long."""

from __future__ import annotations

from starlette.requests import Request

from shared.runtime.clock import Machine
from shared.security.schemes import Call
from shared.web.problems import Problem

MAX_BYTES = 1024 * 1024


async def call_of(request: Request, public_url: str, machine: Machine) -> Call:
    """What was signed: the raw body, and the address that the sender knows.

    Raises:
        Problem: 413, the body is too long.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise Problem(413, "The body is larger than 1 MiB.", what_to_do="Send less in one request.")
    query = f"?{request.url.query}" if request.url.query else ""
    url = f"{public_url.rstrip('/')}{request.url.path}{query}"
    return Call(request.method, url, tuple(request.headers.raw), bytes(body), machine.wall())
