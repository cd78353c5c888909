"""Reads the mails that really arrived in the sink."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path

_LINK = re.compile(r'href="([^"]+)"')
_SCORE = re.compile(r"/s/([^/?\"]+)\?score=(\d+)$")
_TICKET = re.compile(r"https?://\S+?/tickets/[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as its reader sees it; `scores` maps a score to the link of its button."""

    message_id: str
    to: str
    subject: str
    links: tuple[str, ...]
    scores: dict[int, str]
    tickets: tuple[str, ...]

    @property
    def token(self) -> str:
        """What tells the survey's links from those of other mails."""
        return next((m.group(1) for link in self.scores.values() if (m := _SCORE.search(link))), "")


class Sink:
    """New mails since one last looked; those that came together are in order of their Message-ID."""

    def __init__(self, mailbox: Path) -> None:
        self._mailbox = mailbox
        self._read = 0

    def new(self) -> list[Mail]:
        """Mails that arrived since the last call."""
        whole = self._journal(self._read)
        self._read += len(whole)
        fresh = sorted(_lines(whole), key=lambda line: line["message_id"])
        return [_mail((self._mailbox / line["file"]).read_bytes()) for line in fresh]

    def doubled(self) -> int:
        """How many mails arrived more than once: the same message to the same address."""
        counts = Counter((line["message_id"], *line["recipients"]) for line in _lines(self._journal(0)))
        return sum(count - 1 for count in counts.values())

    def _journal(self, start: int) -> bytes:
        file = self._mailbox / "journal.ndjson"
        if not file.exists():
            return b""
        with file.open("rb") as journal:
            journal.seek(start)
            whole, newline, _ = journal.read().rpartition(b"\n")
        return whole + newline


def _lines(journal: bytes) -> list[dict[str, str]]:
    return [json.loads(line) for line in journal.splitlines()]


def _mail(content: bytes) -> Mail:
    message = message_from_bytes(content, policy=default)
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    links = tuple(link.replace("&amp;", "&") for link in _LINK.findall(html.get_content() if html else ""))
    found = _TICKET.findall(text.get_content() if text else "")
    return Mail(
        message_id=str(message["Message-ID"]),
        to=str(message["To"].addresses[0].addr_spec),
        subject=str(message["Subject"]),
        links=links,
        scores={int(m.group(2)): link for link in links if (m := _SCORE.search(link))},
        tickets=tuple(dict.fromkeys(found)),
    )
