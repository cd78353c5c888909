"""Pages as a signed-in person asks for them: server time of each, and the bytes of a first visit."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from html import unescape
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI

_LINKED = re.compile(r'<link rel="stylesheet" href="([^"]+)"|<(?:script|img)\b[^>]* src="([^"]+)"')
_AGENT = (
    (b"accept", b"text/html"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"accept-language", b"en"),
    (b"host", b"127.0.0.1"),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer of the server: milliseconds until its last byte, and the body as it travels."""

    millis: float
    body: bytes

    @property
    def text(self) -> str:
        """The body unpacked."""
        return (gzip.decompress(self.body) if self.body.startswith(b"\x1f\x8b") else self.body).decode()


@dataclass(slots=True)
class Viewer:
    """Somebody signed in, before an application that is asked without a network in between."""

    app: FastAPI
    token: str
    weighed: dict[str, int] = field(default_factory=dict)

    async def sees(self, path: str) -> Seen:
        """One page.

        Raises:
            RuntimeError: it is not there.
        """
        parts = urlsplit(path)
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
            "scheme": "http", "path": parts.path, "raw_path": parts.path.encode(), "root_path": "",
            "query_string": parts.query.encode(), "client": ("127.0.0.1", 40000),
            "server": ("127.0.0.1", 80),
            "headers": [*_AGENT, (b"cookie", f"afterword={self.token}".encode())],
        }  # fmt: skip
        status, body = 0, bytearray()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                body.extend(message.get("body", b""))

        started = time.perf_counter()
        await self.app(scope, receive, send)
        millis = (time.perf_counter() - started) * 1000
        if status != HTTPStatus.OK:
            raise RuntimeError(f"{path} answers {status}: {bytes(body[:300])!r}")
        return Seen(millis, bytes(body))

    async def weighs(self, page: Seen) -> int:
        """Bytes of a page's first visit with nothing kept: itself, its style sheets, scripts and pictures."""
        whole = len(page.body)
        for found in _LINKED.finditer(page.text):
            path = unescape(found[1] or found[2])
            if path.startswith("data:"):
                continue
            if path not in self.weighed:
                self.weighed[path] = len((await self.sees(path)).body)
            whole += self.weighed[path]
        return whole
