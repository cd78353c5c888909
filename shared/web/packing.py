"""Pages travel packed (gzip) to browsers that can unpack them. Plain ASGI: nothing here holds a task.

How well a page packs tells how much of it repeats. Who can make a browser ask for a page with words of their
own in its address, and sees how long the answers are, could guess a secret of the page, letter by letter
(BREACH). So each answer carries padding of random length, in the header of the packed file, which none reads:
Palacios and others, "HTB: Heal the Breach" (2022). Cookies are not sent along with requests that other sites
make, so such a guesser would have to open a window for each guess besides.
"""

import gzip
import secrets
from io import BytesIO

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST = 1000
"""Bytes below which packing is not worth it."""

LEVEL = 4
PADDING = 100


def pack(body: bytes) -> bytes:
    """The content of a gzip file whose name, of random length, is padding."""
    file = BytesIO()
    name = secrets.token_hex(PADDING)[: 1 + secrets.randbelow(PADDING)]
    with gzip.GzipFile(name, "wb", LEVEL, file, mtime=0) as packed:
        packed.write(body)
    return file.getvalue()


class PackedPages:
    """Packs pages that are sent in one piece; what is streamed, and data, go out as they are.

    Args:
        app: The application below.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        asks = scope["type"] == "http" and scope["method"] == "GET"
        if not asks or "gzip" not in Headers(scope=scope).get("accept-encoding", ""):
            await self.app(scope, receive, send)
            return
        held: Message | None = None

        async def send_packed(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and _is_page(message):
                held = message
                return
            if held is not None:
                start, held = held, None
                message = _packed(start, message)
                await send(start)
            await send(message)

        await self.app(scope, receive, send_packed)


def _is_page(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    return headers.get("content-type", "").startswith("text/html") and "content-encoding" not in headers


def _packed(start: Message, message: Message) -> Message:
    """The body packed, and its headers changed accordingly; as it is where it comes in pieces or is short."""
    headers = MutableHeaders(raw=start["headers"])
    headers.add_vary_header("Accept-Encoding")
    body = message.get("body", b"")
    if message.get("more_body") or len(body) < LEAST:
        return message
    packed = pack(body)
    headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(len(packed))
    return {**message, "body": packed}
