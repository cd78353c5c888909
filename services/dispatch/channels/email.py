"""E-mail over SMTP with kept connections.

The message goes on the wire only after the server has said 354 to DATA, in a step of its own: whatever breaks
before is certainly not sent and may be repeated, whatever breaks after is uncertain and may not.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import aiosmtplib
from aiosmtplib.protocol import normalize_message_line_endings
from typing_extensions import override

from services.dispatch.channels.port import Channel, Outgoing, RefusedError
from services.dispatch.channels.wire import Answer, Wire
from services.dispatch.domain.address import parse_address
from services.dispatch.domain.bounces import refusal_reason
from shared.contracts.reasons import Reason
from shared.errors import SendError
from shared.runtime.clock import Machine

_READY = 354
_OK = 250
_TAKEN = frozenset({250, 251})
_TRANSIENT = 400
_PERMANENT = 500
_BEYOND = 600
_CLOSING = 421
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_LEAST_WAIT = timedelta(seconds=30)
"""421 says that the whole server is going away for a moment."""
CLOSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where and how to hand mails over.

    Attributes:
        tls: "none", "starttls" (refused when the server has none) or "implicit" (from the first byte).
        connections: how many mails may be under way at once.
        seconds: limit of one hand-over, connecting included.
        keep: how long an idle connection is kept.
    """

    host: str
    port: int = 25
    username: str = ""
    password: str = ""
    tls: str = "none"
    connections: int = 8
    seconds: float = 30.0
    keep: float = 20.0
    helo: str = "localhost"


class EmailChannel(Channel):
    """A small pool of SMTP connections to one server."""

    def __init__(self, server: SmtpServer, machine: Machine) -> None:
        self._server = server
        self._machine = machine
        self._idle: deque[tuple[float, Wire]] = deque()
        self._slots = asyncio.Semaphore(server.connections)

    @override
    async def send(self, message: Outgoing) -> None:
        """Hand one mail over; see `Channel.send`."""
        _check_envelope(message)
        progress = _Progress()
        async with self._slots:
            try:
                async with asyncio.timeout(self._server.seconds), self._connection() as wire:
                    await _transact(wire, message, progress)
            except aiosmtplib.SMTPResponseException as error:
                raise _refused(error, progress) from error
            except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
                raise SendError(
                    f"{progress.stage}: {type(error).__name__}", permanent=False, uncertain=progress.on_wire
                ) from error

    @override
    async def close(self) -> None:
        """Say goodbye on idle connections."""
        while self._idle:
            _, wire = self._idle.pop()
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    wire.write(b"QUIT\r\n")
                    await wire.answer()
            wire.close()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Wire]:
        """A usable connection; kept for the next mail only when this one left it in a known state."""
        wire = self._kept() or await self._connect()
        try:
            yield wire
        except _Declined as error:
            if error.code == _CLOSING or not error.clean or not await _reset(wire):
                wire.close()
            else:
                self._idle.append((self._machine.monotonic(), wire))
            raise
        except BaseException:
            wire.close()
            raise
        self._idle.append((self._machine.monotonic(), wire))

    def _kept(self) -> Wire | None:
        while self._idle:
            since, wire = self._idle.pop()
            if wire.usable and self._machine.monotonic() - since < self._server.keep:
                return wire
            wire.close()
        return None

    async def _connect(self) -> Wire:
        server = self._server
        smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username or None,
            password=server.password or None,
            use_tls=server.tls == "implicit",
            start_tls=server.tls == "starttls",
            timeout=server.seconds,
            local_hostname=server.helo,
        )
        await smtp.connect()
        if smtp.is_ehlo_or_helo_needed:
            try:
                await smtp.ehlo()
            except aiosmtplib.SMTPHeloError:
                await smtp.helo()
        return Wire(smtp)


@dataclass(slots=True)
class _Progress:
    """How far a hand-over got; `on_wire` from the first byte of the message."""

    stage: str = "connect"
    on_wire: bool = False


def _check_envelope(message: Outgoing) -> None:
    """Refuse what is not one plain mailbox: the library would take the first address out of anything."""
    for name, address in (("sender", message.sender), ("recipient", message.recipient)):
        if str(parse_address(address)) != address:
            raise RefusedError(
                f"{name}: not one plain e-mail address", permanent=True, reason=Reason.UNSENDABLE
            )


class _Declined(aiosmtplib.SMTPResponseException):
    """The server said no. `clean`: the connection is as before the mail once it is reset."""

    def __init__(self, answer: Answer, *, clean: bool = True) -> None:
        super().__init__(answer.code, answer.message)
        self.clean = clean and answer.code > 0


async def _transact(wire: Wire, message: Outgoing, progress: _Progress) -> None:
    """One mail on one connection. Its content waits until the server has said yes to the envelope."""
    commands = (
        ("mail", f"MAIL FROM:<{message.sender}>\r\n", _TAKEN),
        ("rcpt", f"RCPT TO:<{message.recipient}>\r\n", _TAKEN),
        ("data", "DATA\r\n", frozenset({_READY})),
    )
    if wire.pipelining:
        wire.write("".join(text for _, text, _ in commands).encode("ascii"))
    for number, (progress.stage, text, yes) in enumerate(commands, start=1):
        if not wire.pipelining:
            wire.write(text.encode("ascii"))
        answer = await wire.answer()
        if answer.code not in yes:
            later = len(commands) - number if wire.pipelining else 0
            raise _Declined(answer, clean=await _no_to_all(wire, later))
    progress.stage, progress.on_wire = "message", True
    wire.write(_stuffed(message.content))
    answer = await wire.answer()
    if answer.code != _OK:
        raise _Declined(answer)


async def _no_to_all(wire: Wire, answers: int) -> bool:
    """Read the answers to what was sent behind a refused command; False when the server waits for content."""
    try:
        return all([(await wire.answer()).code != _READY for _ in range(answers)])
    except aiosmtplib.SMTPException:
        return False


def _stuffed(content: bytes) -> bytes:
    """The message as it goes on the wire: a dot before each line that begins with one, a lonely dot last."""
    lines = normalize_message_line_endings(content) if _has_bare_breaks(content) else content
    if lines.startswith(b"."):
        lines = b"." + lines
    return lines.replace(b"\r\n.", b"\r\n..") + (b".\r\n" if lines.endswith(b"\r\n") else b"\r\n.\r\n")


def _has_bare_breaks(content: bytes) -> bool:
    return not content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r")


async def _reset(wire: Wire) -> bool:
    """Clear a refused mail from the connection; False when it is of no more use."""
    try:
        wire.write(b"RSET\r\n")
        return (await wire.answer()).code == _OK
    except (aiosmtplib.SMTPException, OSError):
        return False


def _refused(error: aiosmtplib.SMTPResponseException, progress: _Progress) -> SendError:
    """The server's own word; its text may quote the address, so only the codes are kept."""
    if not _TRANSIENT <= error.code < _BEYOND:
        return SendError(f"{progress.stage}: unreadable answer", permanent=False, uncertain=progress.on_wire)
    found = _STATUS.search(error.message)
    status = found[1] if found else ""
    return RefusedError(
        f"{progress.stage}: {error.code} {status}".strip(),
        permanent=error.code >= _PERMANENT,
        reason=refusal_reason(progress.stage, error.code, status),
        retry_after=_LEAST_WAIT if error.code == _CLOSING else None,
    )
