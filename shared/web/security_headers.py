"""Headers that every answer carries, whatever its status (SEC-F2). Plain ASGI: nothing here holds a task."""

from typing import TypeVar

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

R = TypeVar("R", bound=Response)

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SCRIPT = "script-src 'self'; connect-src 'self'"
"""What the policy of a page with a script of ours allows besides."""
HSTS = "max-age=31536000; includeSubDomains"


def set_security_headers(headers: MutableHeaders, *, https: bool) -> None:
    """Add what is missing; an answer that says how it may be cached keeps that."""
    headers.setdefault("Content-Security-Policy", CSP)
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Cache-Control", "no-store")
    if https:
        headers.setdefault("Strict-Transport-Security", HSTS)


def allow_script(response: R) -> R:
    """Let the scripts that lie on this installation run on a page, and ask it."""
    response.headers["Content-Security-Policy"] = f"{CSP}; {SCRIPT}"
    return response


class SecurityHeaders:
    """Adds the headers as an answer starts.

    Args:
        app: The application below.
        https: Whether people reach this installation by https.
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                set_security_headers(MutableHeaders(scope=message), https=self.https)
            await send(message)

        await self.app(scope, receive, send_with_headers)
