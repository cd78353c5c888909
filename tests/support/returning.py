"""The door for returned mails, and a mail server that brings them to it."""

from __future__ import annotations

import asyncio
import smtplib
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from prometheus_client import REGISTRY

from services.dispatch.api.listener import ReturnListener
from services.dispatch.handlers.returns import Returns
from tests.support.dispatch import MailRoom

DOMAIN = "ask.northwind.example"
HOST = "127.0.0.1"
PROTOCOLS = [smtplib.SMTP, smtplib.LMTP]
Answer = tuple[int, bytes]


@dataclass(slots=True)
class Door:
    """A mail room with a listener, and the mail server that brings mails to it."""

    room: MailRoom
    returns: Returns
    stack: AsyncExitStack
    port: int = 0

    async def listen(self, returns: Returns | None = None, **fields: Any) -> int:
        """A listener; gives its port."""
        listener = ReturnListener(returns or self.returns, DOMAIN, HOST, 0, **fields)
        return await self.stack.enter_async_context(listener.opened())

    async def bring(
        self, raw: bytes, to: str, *, by: type[smtplib.SMTP] = smtplib.SMTP, port: int = 0
    ) -> Answer:
        """One mail as a mail server brings it; its last answer."""
        return await asyncio.to_thread(one_mail, by, port or self.port, raw, to)

    async def ask(self, name: str) -> tuple[str, str]:
        """A survey mail; its return address and its reply address."""
        await self.room.ask(name)
        await self.room.work()
        return self.room.mails[-1].sender, str(self.room.read()["Reply-To"])

    async def told(self, kind: str) -> int:
        return len([one for one in await self.room.told() if one.type == kind])


def one_mail(by: type[smtplib.SMTP], port: int, raw: bytes, to: str) -> Answer:
    with by(HOST, port, timeout=60) as client:
        client.ehlo_or_helo_if_needed()
        client.mail("")
        code, words = client.rcpt(to)
        return (code, words) if code != 250 else client.data(raw)


def counted(answer: str) -> float:
    return REGISTRY.get_sample_value("afterword_dispatch_return_answers_total", {"answer": answer}) or 0
