"""The wire of one SMTP session: commands out, answers in, in order; several may be under way (RFC 2920).

`aiosmtplib` opens the session (TLS, EHLO, sign-in) and hands its transport over: it sends one command a
round trip, which costs more than everything else about a mail.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import cast

import aiosmtplib
from typing_extensions import override

MAX_ANSWER = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply of the server, its lines joined."""

    code: int
    message: str


class Wire(asyncio.Protocol):
    """A session after its EHLO. `pipelining`: whether the server takes several commands at once."""

    def __init__(self, smtp: aiosmtplib.SMTP) -> None:
        if smtp.transport is None:
            raise aiosmtplib.SMTPServerDisconnected("connection lost")
        self.pipelining = smtp.supports_extension("pipelining")
        self._transport = cast(asyncio.Transport, smtp.transport)
        self._transport.set_protocol(self)
        self._buffer = b""
        self._lines: list[bytes] = []
        self._answers: deque[Answer] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._failure: Exception | None = None

    @property
    def usable(self) -> bool:
        """Whether the session is open and the server has said nothing unasked, such as goodbye."""
        quiet = not (self._buffer or self._lines or self._answers)
        return quiet and self._failure is None and not self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            SMTPServerDisconnected: the session is over.
        """
        if self._failure is not None or self._transport.is_closing():
            raise aiosmtplib.SMTPServerDisconnected("connection lost")
        self._transport.write(data)

    async def answer(self) -> Answer:
        """The next answer.

        Raises:
            SMTPException: the session is over, or what came is no answer.
        """
        while not self._answers:
            if self._failure is not None:
                raise aiosmtplib.SMTPServerDisconnected("connection lost") from self._failure
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._answers.popleft()

    def close(self) -> None:
        """End the session without a word."""
        self._transport.close()

    @override
    def data_received(self, data: bytes) -> None:
        """Take in whole lines; the last line of an answer has no hyphen behind its code."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._lines.append(line[4:].strip())
            if line[3:4] != b"-":
                self._finish(line)
        if len(self._buffer) + sum(map(len, self._lines)) > MAX_ANSWER:
            self._fail(aiosmtplib.SMTPResponseException(-1, "answer too long"))
        self._wake()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits is told."""
        self._fail(exc or ConnectionResetError("closed by the server"))
        self._wake()

    def _finish(self, line: bytes) -> None:
        code = int(line[:3]) if line[:3].isdigit() else -1
        text = b"\n".join(self._lines).decode("utf-8", "replace")
        self._lines = []
        self._answers.append(Answer(code, text))

    def _fail(self, error: Exception) -> None:
        self._failure = self._failure or error
        self._transport.close()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done() and (self._answers or self._failure):
            self._waiter.set_result(None)
