"""A partner on the other end of a real connection: it answers as it is told and remembers what it took."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """How a partner behaves."""

    NONE = "none"
    REFUSE = "refuse"
    BUSY = "busy"
    BROKEN = "broken"
    SILENT = "silent"
    DRIP = "drip"
    GARBAGE = "garbage"
    PORTAL = "portal"
    CUT_BEFORE = "cut_before"
    CUT_AFTER = "cut_after"
    DOWN = "down"


STATUSES = {
    Fault.NONE: "200 OK",
    Fault.REFUSE: "404 Not Found",
    Fault.BUSY: "429 Too Many Requests",
    Fault.BROKEN: "503 Service Unavailable",
    Fault.PORTAL: "200 OK",
}


@dataclass(frozen=True)
class Taken:
    """A request that the partner took."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Partner:
    """What it does next, what it says when all is well, and what it has taken.

    Attributes:
        first: it speaks first, as a mail server does, though it is none.
    """

    fault: Fault = Fault.NONE
    says: str = "ok"
    taken: list[Taken] = field(default_factory=list)
    url: str = ""
    first: bool = False

    def answer(self) -> bytes:
        """The answer to a whole request."""
        page = self.fault is Fault.PORTAL
        text = "<!doctype html><title>Sign in to this network</title>" if page else self.says
        kind = "text/html" if page else "application/json"
        extra = "retry-after: 30\r\n" if self.fault is Fault.BUSY else ""
        head = (
            f"HTTP/1.1 {STATUSES[self.fault]}\r\ncontent-type: {kind}\r\ncontent-length: {len(text)}\r\n"
            f"connection: close\r\n{extra}\r\n"
        )
        return (head + text).encode()


@asynccontextmanager
async def listening(partner: Partner) -> AsyncIterator[Partner]:
    """The partner on a port of its own; with `Fault.DOWN` nobody listens there."""
    stop, lines = asyncio.Event(), dict[asyncio.Task[None], asyncio.StreamWriter]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        lines[task] = writer
        try:
            await _exchange(partner, reader, writer, stop)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    partner.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    if partner.fault is Fault.DOWN:
        server.close()
        await server.wait_closed()
    try:
        yield partner
    finally:
        stop.set()
        server.close()
        for writer in lines.values():
            writer.transport.abort()
        if lines:
            await asyncio.wait(lines)


async def _exchange(
    partner: Partner, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stop: asyncio.Event
) -> None:
    if partner.first:
        await _speak(partner, writer, stop)
        return
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    if partner.fault is Fault.CUT_BEFORE:
        return
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    if partner.fault in {Fault.NONE, Fault.CUT_AFTER}:
        partner.taken.append(Taken(method, path, headers, body))
    await _speak(partner, writer, stop)


async def _speak(partner: Partner, writer: asyncio.StreamWriter, stop: asyncio.Event) -> None:
    if partner.fault is Fault.SILENT:
        await stop.wait()
    elif partner.fault is Fault.DRIP:
        await _drip(writer, stop)
    elif partner.fault is Fault.GARBAGE:
        writer.write(b"\x00\xff\x16\x03 what is that?\r\n\r\n")
    elif partner.fault is not Fault.CUT_AFTER:
        writer.write(partner.answer())
    await writer.drain()


async def _drip(writer: asyncio.StreamWriter, stop: asyncio.Event) -> None:
    """An answer that never ends: each read is fast, the whole takes for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")
    while not stop.is_set() and not writer.is_closing():
        writer.write(b".")
        await writer.drain()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.02):
                await stop.wait()
