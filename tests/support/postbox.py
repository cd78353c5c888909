"""A real SMTP server in the test's own process, and mails as their readers see them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import urlsplit

from shared.embedded.smtp import Envelope, Faults, SmtpServer

_LINK = re.compile(r'href="([^"]+)"')
_SCORE = re.compile(r"/s/[^/?]+\?score=(\d+)$")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that arrived; links are paths on the house."""

    message: EmailMessage
    to: str
    subject: str
    message_id: str
    text: str
    links: tuple[str, ...]

    @property
    def scores(self) -> dict[int, str]:
        """The link behind each score button; empty when the mail asks nothing."""
        return {int(found[1]): link for link in self.links if (found := _SCORE.search(link))}

    @property
    def survey(self) -> str:
        """The survey's link without a score; "" when the mail asks nothing."""
        return next(iter(self.scores.values()), "").partition("?")[0]

    @property
    def stop(self) -> str:
        """The link by which its reader stops further mails."""
        return next((link for link in self.links if link.startswith("/u/")), "")

    @property
    def ticket(self) -> str:
        """The page of the ticket it tells of, not the one that only takes it; "" when it is no alarm."""
        pages = (link for link in self.links if link.startswith("/tickets/"))
        return next((link for link in pages if not link.startswith("/tickets/take/")), "")


def read(envelope: Envelope) -> Mail:
    """A mail as its reader's program shows it."""
    message = message_from_bytes(envelope.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    found = _LINK.findall(html.get_content() if html else "")
    (to,) = envelope.recipients
    return Mail(
        message=message,
        to=to,
        subject=str(message["Subject"]),
        message_id=str(message["Message-ID"]),
        text=text.get_content() if text else "",
        links=tuple(_path(link.replace("&amp;", "&")) for link in found),
    )


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    """What a mail says, in one of its bodies."""
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def _path(link: str) -> str:
    parts = urlsplit(link)
    return parts.path + (f"?{parts.query}" if parts.query else "")


@dataclass
class Postbox:
    """What arrived, in order; it outlives the services that sent it."""

    faults: Faults = field(default_factory=Faults)
    mails: list[Mail] = field(default_factory=list)
    port: int = 0
    _server: SmtpServer | None = None

    async def open(self) -> None:
        """Listen; on the same port as before when it was open once."""
        self._server = SmtpServer(self._keep, self.faults)
        self.port = await self._server.start(self.port)

    async def close(self) -> None:
        """Stop listening and hang up, as a server that is killed."""
        if self._server is not None:
            await self._server.stop()

    async def hang_up(self) -> None:
        """Cut every connection that a dead process would have left open."""
        await self.close()
        await self.open()

    async def _keep(self, envelope: Envelope) -> None:
        self.mails.append(read(envelope))
