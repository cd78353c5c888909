"""A TCP proxy that stands in each link and breaks it on demand: delay, black hole, reset, cut, drip, refusal.

`python -m tests.chaos.proxy` runs one for a whole fleet: orders come as JSON lines on its input, each is
answered by a line with what it hit.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import uvloop

HOST = "127.0.0.1"
_CHUNK = 65_536
_DRIP_BYTES = 512
_NO_LINGER = struct.pack("ii", 1, 0)


class TroubleKind(StrEnum):
    """What goes wrong on a link."""

    DELAY = "delay"
    BLACK_HOLE = "black-hole"
    RESET = "reset"
    CUT = "cut"
    DRIP = "drip"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A trouble in force.

    Attributes:
        share: part of the connections that it hits, the same ones as long as it lasts.
        seconds: pause before each piece that is passed on (delay, drip).
    """

    kind: TroubleKind
    share: float = 1.0
    seconds: float = 0.0

    def hits(self, number: int) -> bool:
        """Whether it hits the connection with this number."""
        return (number * 0.618034) % 1.0 < self.share


@dataclass(slots=True)
class _Connection:
    number: int
    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]

    def abort(self, *, reset: bool) -> None:
        """End both sides at once: by RST, or as a process does that goes away in mid-sentence."""
        for writer in self.writers:
            if writer.is_closing():
                continue
            if reset:
                _reset_on_close(writer)
            writer.transport.abort()


@dataclass(slots=True)
class Link:
    """Passes connections on to a port of this machine."""

    target: int
    trouble: Trouble | None = None
    _count: int = 0
    _connections: dict[int, _Connection] = field(default_factory=dict)
    _healed: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None

    async def listen(self, port: int) -> int:
        """Begin to take connections; gives the port."""
        self._server = await asyncio.start_server(self._serve, HOST, port, limit=_CHUNK)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Hang up on everybody and stop."""
        self.heal()
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections.values()):
            connection.abort(reset=False)

    def strike(self, trouble: Trouble) -> int:
        """Let a trouble begin; gives how many open connections it hits."""
        self.heal()
        self.trouble = trouble
        self._healed = asyncio.Event()
        hit = [one for one in self._connections.values() if trouble.hits(one.number)]
        if trouble.kind in (TroubleKind.RESET, TroubleKind.REFUSE):
            for connection in hit:
                connection.abort(reset=True)
        return len(hit)

    def heal(self) -> None:
        """Let it end; what a black hole held back goes on, as after a partition."""
        self.trouble = None
        self._healed.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._count += 1
        number = self._count
        if self._refuses(number):
            _reset_on_close(writer)
            writer.transport.abort()
            return
        try:
            there, onward = await asyncio.open_connection(HOST, self.target, limit=_CHUNK)
        except OSError:
            _reset_on_close(writer)
            writer.transport.abort()
            return
        connection = _Connection(number, (writer, onward))
        self._connections[number] = connection
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pump(reader, onward, connection))
                tasks.create_task(self._pump(there, writer, connection))
        finally:
            del self._connections[number]
            connection.abort(reset=False)

    def _refuses(self, number: int) -> bool:
        kind = self.trouble.kind if self.trouble and self.trouble.hits(number) else None
        return kind in (TroubleKind.REFUSE, TroubleKind.RESET)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: _Connection
    ) -> None:
        """Pass on what comes until one side ends; an error on one side ends the other."""
        try:
            while chunk := await reader.read(_CHUNK):
                trouble = self.trouble
                if trouble is not None and trouble.hits(connection.number):
                    await self._troubled(trouble, chunk, writer, connection)
                else:
                    writer.write(chunk)
                    await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
        except (OSError, RuntimeError):
            connection.abort(reset=True)

    async def _troubled(
        self, trouble: Trouble, chunk: bytes, writer: asyncio.StreamWriter, connection: _Connection
    ) -> None:
        match trouble.kind:
            case TroubleKind.BLACK_HOLE:
                await self._healed.wait()
                writer.write(chunk)
            case TroubleKind.DELAY:
                await asyncio.sleep(trouble.seconds)
                writer.write(chunk)
            case TroubleKind.DRIP:
                await self._drip(trouble, chunk, writer)
            case TroubleKind.CUT:
                writer.write(chunk[: max(1, len(chunk) // 2)])
                await writer.drain()
                connection.abort(reset=False)
            case TroubleKind.RESET | TroubleKind.REFUSE:
                connection.abort(reset=True)
        await writer.drain()

    async def _drip(self, trouble: Trouble, chunk: bytes, writer: asyncio.StreamWriter) -> None:
        for start in range(0, len(chunk), _DRIP_BYTES):
            writer.write(chunk[start : start + _DRIP_BYTES])
            await writer.drain()
            if self.trouble is trouble:
                await asyncio.sleep(trouble.seconds)


def _reset_on_close(writer: asyncio.StreamWriter) -> None:
    """Make the close of a socket a RST."""
    sock = writer.get_extra_info("socket")
    with suppress(OSError, ValueError):  # it may be closed already
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)


async def _run(orders: asyncio.StreamReader, say: Callable[[dict[str, Any]], None]) -> None:
    """Obey orders until the input ends: `open`, `strike` and `heal` links by name."""
    links: dict[str, Link] = {}
    while line := await orders.readline():
        order = json.loads(line)
        name, hit = order["link"], 0
        match order["do"]:
            case "open":
                links[name] = Link(order["target"])
                await links[name].listen(order["port"])
            case "strike":
                hit = links[name].strike(
                    Trouble(TroubleKind(order["kind"]), order["share"], order["seconds"])
                )
            case _:
                links[name].heal()
        say({"link": name, "hit": hit})


async def main() -> None:
    """Serve as a process of its own."""
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)

    def say(answer: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()

    await _run(orders, say)
    os._exit(0)  # nobody is left to whom the links could matter


if __name__ == "__main__":
    uvloop.run(main())
