"""A mail sink inside the test: what arrived is a list, what goes wrong is a list too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

from shared.embedded.smtp import Envelope, Faults, SmtpServer


@dataclass(slots=True)
class SmtpSink:
    """A running server: where, what it has, what it does wrong."""

    port: int = 0
    arrived: list[Envelope] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)

    async def store(self, envelope: Envelope) -> None:
        self.arrived.append(envelope)

    def mails(self) -> list[EmailMessage]:
        """Parse what arrived, in order."""
        return [parsed(envelope.content) for envelope in self.arrived]


def parsed(content: bytes) -> EmailMessage:
    message = BytesParser(policy=default).parsebytes(content)
    assert isinstance(message, EmailMessage)
    return message


@asynccontextmanager
async def smtp_sink() -> AsyncIterator[SmtpSink]:
    """Serve on a free port for the time of a test."""
    sink = SmtpSink()
    server = SmtpServer(sink.store, sink.faults)
    sink.port = await server.start()
    try:
        yield sink
    finally:
        await server.stop()
