"""A door for the mail server: bounces and replies by SMTP or LMTP, each answered when it is kept.

It stands behind a mail server of ours, which looks for spam and keeps what is not taken; the world does not
reach it. Mails to signed return addresses are taken, all others refused: nothing is relayed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, Envelope, Session, TLSSetupException
from typing_extensions import override

from services.dispatch import metrics
from services.dispatch.api.returns import MAX_MAIL
from services.dispatch.api.tls import Certificate
from services.dispatch.handlers.returns import NotOursError, Returns
from shared.db.errors import RAISED, is_transient
from shared.errors import SendError
from shared.runtime.logging import get_logger

IDLE_SECONDS = 120.0
DRAIN_SECONDS = 10.0
"""How long a mail that is being kept may take when the process stops."""
MAX_LINE = 1_000_000
MAX_COMMAND = 2048
CONNECTIONS = 50

TAKEN = "250 2.0.0 Kept"
NOT_OURS = "550 5.1.1 No such address here"
ONE_AT_A_TIME = "452 4.5.3 One recipient at a time, please"
LATER = "451 4.3.0 Not kept, please bring it again"
BUSY = "421 4.3.2 Too many connections, please come again"
TLS_FIRST = "530 5.7.0 STARTTLS first, please"

log = get_logger("return_listener")


class Dialogue(SMTP):
    """One connection.

    LMTP differs from SMTP in its greeting, and in that each recipient of a mail is answered for. A mail has
    one recipient here, so both are spoken alike.
    """

    line_length_limit = MAX_LINE
    """A line too long is refused for good by the library; people write paragraphs without a break."""

    def __init__(self, door: Door, hostname: str) -> None:
        # The library keeps these in one table for all connections, and empties it with each new one.
        self.command_size_limits = defaultdict(lambda: MAX_COMMAND)
        self.resting = asyncio.Event()
        self.resting.set()
        self._door = door
        super().__init__(
            door,
            data_size_limit=MAX_MAIL,
            enable_SMTPUTF8=True,
            hostname=hostname,
            ident="Afterword",
            timeout=IDLE_SECONDS,
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
            tls_context=door.certificate.context() if door.certificate else None,
            loop=asyncio.get_running_loop(),
        )

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._door.open.add(self)
        super().connection_made(transport)

    @override
    def connection_lost(self, error: Exception | None) -> None:
        self._door.open.discard(self)
        super().connection_lost(error)

    async def smtp_LHLO(self, hostname: str) -> None:  # noqa: N802 - the library calls it so
        """The greeting of LMTP."""
        await self.smtp_EHLO(hostname)

    @override
    async def handle_exception(self, error: Exception) -> str:
        """Whatever goes wrong, the mail server keeps the mail, and a person finds the reason here."""
        self.envelope = Envelope()  # the next mail begins anew
        if isinstance(error, TLSSetupException):
            log.warning("return_tls_failed", reason=str(error.__cause__))
        else:
            log.error("return_failed", exc_info=error)
        metrics.RETURN_ANSWERS.labels("later").inc()
        return LATER

    async def leave(self) -> None:
        """Hang up once nothing is being kept; the answer to what was kept goes out first."""
        await self.resting.wait()
        if self.transport is not None:
            self.transport.close()


@dataclass(frozen=True, slots=True)
class Door:
    """Answers to recipients and mails of all connections; the names are the library's."""

    returns: Returns
    domain: str
    certificate: Certificate | None = None
    open: set[Dialogue] = field(default_factory=set)

    async def handle_EHLO(  # noqa: N802 - the library calls it so
        self, _dialogue: Dialogue, session: Session, _envelope: Envelope, name: str, said: list[str]
    ) -> list[str]:
        """What is offered: signing in is not, which the library would say once TLS is spoken."""
        session.host_name = name
        return [line for line in said if not line.startswith("250-AUTH")]

    async def handle_MAIL(  # noqa: N802 - the library calls it so
        self, _dialogue: Dialogue, session: Session, envelope: Envelope, sender: str, options: list[str]
    ) -> str:
        """A mail begins, by TLS where that is demanded: the greeting of LMTP is not held up for it."""
        if self.certificate and self.certificate.required and session.ssl is None:
            return TLS_FIRST
        envelope.mail_from = sender
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - the library calls it so
        self, _dialogue: Dialogue, _session: Session, envelope: Envelope, to: str, _options: list[str]
    ) -> str:
        """Whether a mail to an address is taken; what the address says is proven without the database."""
        if envelope.rcpt_tos:
            return ONE_AT_A_TIME
        if to.rpartition("@")[2].lower() != self.domain or self.returns.about(to) is None:
            return _refused("not signed here")
        envelope.rcpt_tos.append(to)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - the library calls it so
        self, dialogue: Dialogue, _session: Session, envelope: Envelope
    ) -> str:
        """Do what a mail calls for; it is acknowledged once that is committed."""
        dialogue.resting.clear()
        try:
            return await self._take(envelope.rcpt_tos[0], bytes(envelope.original_content or b""))
        finally:
            dialogue.resting.set()

    async def _take(self, to: str, raw: bytes) -> str:
        try:
            await self.returns.take(to, raw)
        except NotOursError:
            return _refused("its mail is no longer kept")
        except SendError as error:
            log.warning("return_waits", reason="reply not passed on", permanent=error.permanent)
        except RAISED as error:
            if not is_transient(error):
                raise
            log.warning("return_waits", reason=type(error).__name__)
        else:
            metrics.RETURN_ANSWERS.labels("taken").inc()
            return TAKEN
        metrics.RETURN_ANSWERS.labels("later").inc()
        return LATER


class _Busy(asyncio.Protocol):
    """A connection too many."""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - of a stream server
        transport.write(f"{BUSY}\r\n".encode())
        transport.close()


@dataclass(frozen=True, slots=True)
class ReturnListener:
    """Listens for mails that come back.

    Attributes:
        domain: of the return addresses, in lower case.
        host: address to listen on.
        port: 0 for any that is free.
        connections: how many may be open at once.
        certificate: by which TLS is spoken when it is asked for; None: not at all.
    """

    returns: Returns
    domain: str
    host: str
    port: int
    connections: int = CONNECTIONS
    certificate: Certificate | None = None

    async def __call__(self, stop: asyncio.Event) -> None:
        """Listen until told to stop."""
        async with self.opened() as port:
            log.info("listening", port=port)
            await stop.wait()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[int]:
        """Listen; gives the port. In the end what is being kept is finished, the rest will come again."""
        door = Door(self.returns, self.domain, self.certificate)

        def answer() -> asyncio.Protocol:
            return Dialogue(door, self.domain) if len(door.open) < self.connections else _Busy()

        server = await asyncio.get_running_loop().create_server(answer, self.host, self.port)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_SECONDS), asyncio.TaskGroup() as leaving:
                    for one in door.open:
                        leaving.create_task(one.leave())
            for one in list(door.open):
                if isinstance(one.transport, asyncio.WriteTransport):
                    one.transport.abort()
            await server.wait_closed()


def _refused(why: str) -> str:
    log.info("return_refused", reason=why)
    metrics.RETURN_ANSWERS.labels("refused").inc()
    return NOT_OURS
