"""A provider over HTTP that answers, refuses, falls silent or hangs up as told, and keeps what it took."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class Taken:
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form."""
        return dict(parse_qsl(self.body.decode()))


@dataclass(frozen=True, slots=True)
class Reply:
    """What the provider does: `status` 0 hangs up; `seconds` of silence come first."""

    status: int = 201
    body: bytes = b'{"sid":"SM1"}'
    headers: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(slots=True)
class Provider:
    """Serves on loopback; replies are used up in order, then all goes well."""

    replies: list[Reply] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hang up on everybody."""
        if self._server:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while await self._one(reader, writer):
                    pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (h.partition(":") for h in head[1:-2])}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.taken.append(Taken(head[0].split(" ")[1], headers, body))
        reply = self.replies.pop(0) if self.replies else Reply()
        await asyncio.sleep(reply.seconds)
        if not reply.status:
            return False
        lines = [f"HTTP/1.1 {reply.status} x", f"content-length: {len(reply.body)}", *reply.headers, "", ""]
        writer.write("\r\n".join(lines).encode() + reply.body)
        await writer.drain()
        return True
