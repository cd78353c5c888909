"""The sink's mails on disk: one .eml file each, in order of arrival, and a journal line that says it arrived.

Both are synced before the mail is acknowledged, so the journal is the truth about what was handed over, even
when sender and sink are killed.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from email.policy import default
from pathlib import Path

from shared.embedded.smtp import Envelope
from shared.runtime.clock import Machine

JOURNAL = "journal.ndjson"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A journal line; `at` is machine time in ISO form, `file` is relative to the mailbox."""

    seq: int
    at: str
    sender: str
    recipients: tuple[str, ...]
    message_id: str
    subject: str
    file: str


class Mailbox:
    """A directory of mails; one process writes, anybody reads.

    Args:
        root: the directory; made when missing.
        machine: tells the time of arrival.
    """

    def __init__(self, root: Path, machine: Machine) -> None:
        self._root = root
        self._machine = machine
        root.mkdir(parents=True, exist_ok=True)
        _cut_torn_line(root / JOURNAL)
        self._arrivals = read_journal(root)

    @property
    def root(self) -> Path:
        """The directory."""
        return self._root

    async def store(self, envelope: Envelope) -> None:
        """Keep a mail; on return it is on disk."""
        headers = BytesHeaderParser(policy=default).parsebytes(envelope.content)
        seq = self._arrivals[-1].seq + 1 if self._arrivals else 1
        arrival = Arrival(
            seq=seq,
            at=self._machine.wall().isoformat(),
            sender=envelope.sender,
            recipients=envelope.recipients,
            message_id=str(headers.get("Message-ID", "")).strip(),
            subject=str(headers.get("Subject", "")),
            file=f"{seq:06d}.eml",
        )
        _write_synced(self._root / arrival.file, envelope.content, "wb")
        _write_synced(self._root / JOURNAL, (json.dumps(asdict(arrival)) + "\n").encode(), "ab")
        self._arrivals.append(arrival)

    def arrivals(self, after: int = 0) -> list[Arrival]:
        """List the mails that arrived after one."""
        return [arrival for arrival in self._arrivals if arrival.seq > after]

    def find(self, seq: int) -> Arrival | None:
        """Find a mail by its number."""
        return next((arrival for arrival in self._arrivals if arrival.seq == seq), None)


def read_journal(root: Path) -> list[Arrival]:
    """Read a mailbox's journal; a last line that a kill tore off is no arrival: nobody was told of it."""
    try:
        lines = (root / JOURNAL).read_text().split("\n")
    except FileNotFoundError:
        return []
    entries = [json.loads(line) for line in lines[:-1] if line]
    return [Arrival(**entry | {"recipients": tuple(entry["recipients"])}) for entry in entries]


def read_mail(root: Path, arrival: Arrival) -> EmailMessage:
    """Read and parse one mail."""
    message = BytesParser(policy=default).parsebytes((root / arrival.file).read_bytes())
    if not isinstance(message, EmailMessage):
        raise TypeError(f"{arrival.file} did not parse as a mail")
    return message


def part_of(message: EmailMessage, kind: str) -> str | None:
    """Give the text of the `html` or `plain` part."""
    part = message.get_body((kind,))
    return None if part is None else str(part.get_content())


def _cut_torn_line(journal: Path) -> None:
    """Take away what a kill left of an unfinished line, so that the next one stands alone."""
    content = journal.read_bytes() if journal.exists() else b""
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(journal, whole)


def _write_synced(path: Path, content: bytes, mode: str) -> None:
    with path.open(mode) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
