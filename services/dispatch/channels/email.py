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
from aiosmtplib.protocol import PERIOD_REGEX, SMTPProtocol, normalize_message_line_endings
from typing_extensions import override

from services.dispatch.channels.port import Channel, Outgoing, RefusedError
from services.dispatch.domain.address import parse_address
from services.dispatch.domain.bounces import refusal_reason
from shared.contracts.reasons import Reason
from shared.errors import SendError
from shared.runtime.clock import Machine

_READY = 354
_OK = 250
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
        self._idle: deque[tuple[float, aiosmtplib.SMTP]] = deque()
        self._slots = asyncio.Semaphore(server.connections)

    @override
    async def send(self, message: Outgoing) -> None:
        """Hand one mail over; see `Channel.send`."""
        _check_envelope(message)
        progress = _Progress()
        async with self._slots:
            try:
                async with asyncio.timeout(self._server.seconds), self._connection() as smtp:
                    await _transact(smtp, message, progress)
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
            _, smtp = self._idle.pop()
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await smtp.quit()
            smtp.close()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """A usable connection; kept for the next mail only when this one left it in a known state."""
        smtp = self._kept() or await self._connect()
        try:
            yield smtp
        except aiosmtplib.SMTPResponseException as error:
            if error.code == _CLOSING or not await _reset(smtp):
                smtp.close()
            else:
                self._idle.append((self._machine.monotonic(), smtp))
            raise
        except BaseException:
            smtp.close()
            raise
        self._idle.append((self._machine.monotonic(), smtp))

    def _kept(self) -> aiosmtplib.SMTP | None:
        while self._idle:
            since, smtp = self._idle.pop()
            if smtp.is_connected and self._machine.monotonic() - since < self._server.keep:
                return smtp
            smtp.close()
        return None

    async def _connect(self) -> aiosmtplib.SMTP:
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
        return smtp


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


async def _transact(smtp: aiosmtplib.SMTP, message: Outgoing, progress: _Progress) -> None:
    """One mail on one connection."""
    progress.stage = "mail"
    await smtp.mail(message.sender)
    progress.stage = "rcpt"
    await smtp.rcpt(message.recipient)
    progress.stage = "data"
    ready = await smtp.execute_command(b"DATA")
    if ready.code != _READY:
        raise aiosmtplib.SMTPDataError(ready.code, ready.message)
    protocol = smtp.protocol
    if protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("connection lost before the message")
    progress.stage, progress.on_wire = "message", True
    await _content(protocol, message.content)


async def _content(protocol: SMTPProtocol, content: bytes) -> None:
    lines = PERIOD_REGEX.sub(b"..", normalize_message_line_endings(content))
    protocol.write(lines + b".\r\n")
    answer = await protocol.read_response()
    if answer.code != _OK:
        raise aiosmtplib.SMTPDataError(answer.code, answer.message)


async def _reset(smtp: aiosmtplib.SMTP) -> bool:
    """Clear a refused mail from the connection; False when it is of no more use."""
    try:
        await smtp.rset()
    except (aiosmtplib.SMTPException, OSError):
        return False
    return True


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
