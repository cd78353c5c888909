"""An SMTP server that keeps what it is given and fails on demand; for the mail sink and for tests.

It speaks enough of RFC 5321 for any client: EHLO, pipelining, 8BITMIME, SMTPUTF8, SIZE; no TLS, no sign-in,
loopback only. A mail is acknowledged after `store` returned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase

HOST = "127.0.0.1"
MAX_MAIL_BYTES = 10_000_000
_MAX_LINE = 65_536
_IDLE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Envelope:
    """One mail as SMTP carried it."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


class FaultKind(StrEnum):
    """What goes wrong."""

    REFUSE_RECIPIENT = "refuse_recipient"
    REFUSE_CONTENT = "refuse_content"
    DROP_BEFORE_ACCEPT = "drop_before_accept"
    DROP_AFTER_ACCEPT = "drop_after_accept"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault for the mails to some recipients.

    Attributes:
        recipients: a shell pattern over the recipient's address in lower case, as `*@full.example`.
        kind: what goes wrong.
        reply: the SMTP reply of a refusal; its first digit says 4 for now, 5 for ever.
        seconds: how long a slow server takes to answer to the content.
        times: how often it happens before all is well again; None for always.
    """

    recipients: str
    kind: FaultKind
    reply: str = "451 4.3.0 try again later"
    seconds: float = 0.0
    times: int | None = None


@dataclass(slots=True)
class Faults:
    """The faults in force; the first that fits happens."""

    rules: list[Fault] = field(default_factory=list)

    def strike(self, recipients: tuple[str, ...], *kinds: FaultKind) -> Fault | None:
        """Find the fault that hits these recipients now, and count it."""
        for index, rule in enumerate(self.rules):
            hit = any(fnmatchcase(address.lower(), rule.recipients) for address in recipients)
            if hit and rule.kind in kinds and rule.times != 0:
                if rule.times is not None:
                    self.rules[index] = replace(rule, times=rule.times - 1)
                return rule
        return None


Store = Callable[[Envelope], Awaitable[None]]


class SmtpServer:
    """A server on loopback; each connection is served in turn by one coroutine.

    Args:
        store: keeps a mail; the mail counts as accepted when it returns.
        faults: what goes wrong, read anew for every command.
    """

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self, port: int = 0) -> int:
        """Listen; gives the port."""
        self._server = await asyncio.start_server(self._serve, HOST, port, limit=_MAX_LINE)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and hang up on everybody."""
        if self._server is None:
            return
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await _Session(reader, writer, self._store, self._faults).run()
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass  # the client went away, or sent a line without end: this connection is over
        finally:
            self._writers.discard(writer)
            writer.close()


class _Session:
    """One connection: a dialogue of lines."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, store: Store, faults: Faults
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._store = store
        self._faults = faults
        self._sender: str | None = None
        self._recipients: list[str] = []

    async def run(self) -> None:
        """Serve until the client leaves or is cut off."""
        await self._say("220 mail sink")
        verbs = {
            b"EHLO": self._ehlo,
            b"HELO": self._helo,
            b"MAIL": self._mail,
            b"RCPT": self._rcpt,
            b"DATA": self._data,
            b"RSET": self._rset,
            b"NOOP": self._noop,
        }
        while line := await self._line():
            verb = line[:4].upper()
            if verb == b"QUIT":
                await self._say("221 2.0.0 bye")
                return
            answer = verbs.get(verb)
            if answer is None:
                await self._say("500 5.5.2 unknown command")
            elif not await answer(line.decode("utf-8", "replace").strip()):
                return

    async def _line(self) -> bytes:
        async with asyncio.timeout(_IDLE_SECONDS):
            return await self._reader.readline()

    async def _say(self, *lines: str) -> bool:
        """Send a reply; the last line ends it. Gives True: the dialogue goes on."""
        continued = [f"{line[:3]}-{line[4:]}" for line in lines[:-1]]
        self._writer.write("".join(f"{line}\r\n" for line in [*continued, lines[-1]]).encode())
        await self._writer.drain()
        return True

    async def _ehlo(self, _line: str) -> bool:
        self._forget()
        return await self._say(
            "250 mail sink", "250 PIPELINING", "250 8BITMIME", "250 SMTPUTF8", f"250 SIZE {MAX_MAIL_BYTES}"
        )

    async def _helo(self, _line: str) -> bool:
        self._forget()
        return await self._say("250 mail sink")

    async def _noop(self, _line: str) -> bool:
        return await self._say("250 2.0.0 ok")

    async def _rset(self, _line: str) -> bool:
        self._forget()
        return await self._say("250 2.0.0 ok")

    async def _mail(self, line: str) -> bool:
        address = _address(line, "FROM:")
        if address is None:
            return await self._say("501 5.5.4 MAIL FROM:<address>")
        self._forget()
        self._sender = address
        return await self._say("250 2.1.0 ok")

    async def _rcpt(self, line: str) -> bool:
        address = _address(line, "TO:")
        if self._sender is None or not address:
            return await self._say("503 5.5.1 MAIL first, then RCPT TO:<address>")
        fault = self._faults.strike((address,), FaultKind.REFUSE_RECIPIENT)
        if fault is not None:
            return await self._say(fault.reply)
        self._recipients.append(address)
        return await self._say("250 2.1.5 ok")

    async def _data(self, _line: str) -> bool:
        if self._sender is None or not self._recipients:
            return await self._say("503 5.5.1 no recipient")
        await self._say("354 end with a line of one dot")
        content = await self._content()
        envelope = Envelope(self._sender, tuple(self._recipients), content or b"")
        self._forget()
        if content is None:
            return await self._say("552 5.3.4 too large")
        return await self._take(envelope)

    async def _take(self, envelope: Envelope) -> bool:
        """Store and acknowledge a mail, or do what a fault says."""
        fault = self._faults.strike(
            envelope.recipients,
            FaultKind.SLOW,
            FaultKind.REFUSE_CONTENT,
            FaultKind.DROP_BEFORE_ACCEPT,
            FaultKind.DROP_AFTER_ACCEPT,
        )
        kind = None if fault is None else fault.kind
        if fault is not None and kind is FaultKind.SLOW:
            await asyncio.sleep(fault.seconds)
        if fault is not None and kind is FaultKind.REFUSE_CONTENT:
            return await self._say(fault.reply)
        if kind is FaultKind.DROP_BEFORE_ACCEPT:
            return self._hang_up()
        await self._store(envelope)
        if kind is FaultKind.DROP_AFTER_ACCEPT:
            return self._hang_up()
        return await self._say("250 2.0.0 stored")

    async def _content(self) -> bytes | None:
        """Read up to the lonely dot, undoing dot-stuffing; None for a mail over the limit."""
        lines: list[bytes] = []
        size = 0
        while (line := await self._line()) not in (b".\r\n", b".\n"):
            if not line:
                raise asyncio.IncompleteReadError(b"", None)
            size += len(line)
            if size <= MAX_MAIL_BYTES:
                lines.append(line.removeprefix(b"."))
        return b"".join(lines) if size <= MAX_MAIL_BYTES else None

    def _forget(self) -> None:
        self._sender, self._recipients = None, []

    def _hang_up(self) -> bool:
        self._writer.transport.abort()
        return False


def _address(line: str, keyword: str) -> str | None:
    """Take the address out of `MAIL FROM:<a> SIZE=1`; "" for the empty sender, None for what is none."""
    _, _, rest = line.partition(" ")
    rest = rest.strip()
    if not rest.upper().startswith(keyword):
        return None
    start, end = rest.find("<"), rest.find(">")
    return rest[start + 1 : end] if 0 <= start < end else None
