"""An SMTP server that takes everything at once and counts; the same for both sides."""

from __future__ import annotations

import asyncio
from typing import cast

import uvloop
from typing_extensions import override


class Sink(asyncio.Protocol):
    """One connection. Understands pipelined commands, answers each in order."""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._buffer = b""
        self._in_data = False
        self._transport.write(b"220 sink ESMTP\r\n")

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        answers: list[bytes] = []
        while (answer := self._next()) is not None:
            answers.append(answer)
        self._transport.write(b"".join(answers))

    def _next(self) -> bytes | None:
        """The answer to what came in next; None when that is not complete yet."""
        end = b"\r\n.\r\n" if self._in_data else b"\r\n"
        found = self._buffer.find(end)
        if found < 0:
            return None
        line, self._buffer = self._buffer[:found].upper(), self._buffer[found + len(end) :]
        if self._in_data:
            self._in_data = False
            return b"250 2.0.0 ok\r\n"
        if line.startswith(b"EHLO"):
            return b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
        if line == b"DATA":
            self._in_data = True
            return b"354 go on\r\n"
        return b"221 bye\r\n" if line == b"QUIT" else b"250 ok\r\n"


async def main() -> None:
    """Serve until killed; says its port."""
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
