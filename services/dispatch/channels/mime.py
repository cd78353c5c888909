"""A mail as bytes: one fixed skeleton with slots, read back by another parser before it may leave.

Written by hand because the standard library's generator is 150 times slower and has turned values into
headers (CVE-2024-6923, CVE-2026-1299). The re-parse proves for every single mail: exactly one recipient,
exactly our headers, exactly our two parts (SEC-M2).
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import format_datetime, getaddresses
from urllib.parse import quote
from uuid import UUID

from services.dispatch.channels.render import Rendered
from services.dispatch.domain.address import Address
from services.dispatch.domain.letter import Letter
from services.dispatch.domain.text import UnsafeText, guard

HEADERS = (
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Id",
    "Feedback-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
)
"""Every header of every mail, in this order; a mail with another set does not leave."""

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/?^_`{|}~ -]*\Z")
_LABEL = re.compile(r"[^a-z0-9-]+")
_URL = re.compile(r"https?://[!-;=?-~]{1,900}\Z")
_WORD_BYTES = 45


@dataclass(frozen=True, slots=True)
class Posting:
    """What the skeleton needs beside the letter: who gets it, under which id, when, of which programme."""

    delivery_id: UUID
    recipient: Address
    at: datetime
    programme: str
    kind: str


def message_id(posting: Posting, sender: Address) -> str:
    """The same for every attempt, so that receivers and our own sink can count copies."""
    return f"<{posting.delivery_id}@{sender.domain}>"


def compose(letter: Letter, rendered: Rendered, posting: Posting) -> bytes:
    """Set a letter as a mail of two parts, text first.

    Raises:
        UnsafeText: reading it back shows anything but what was meant.
    """
    values = _header_values(letter, posting)
    boundary = f"=_aw_{posting.delivery_id.hex}"
    lines = [f"{name}: {values[name]}" for name in HEADERS[:-1]]
    lines.append(f'Content-Type: multipart/alternative; boundary="{boundary}"')
    for kind, body in (("plain", rendered.text), ("html", rendered.html)):
        lines += [
            *(("", f"--{boundary}")),
            f"Content-Type: text/{kind}; charset=utf-8",
            "Content-Transfer-Encoding: base64",
            "",
            base64.encodebytes(body.encode()).decode("ascii").rstrip("\n").replace("\n", "\r\n"),
        ]
    content = "\r\n".join([*lines, f"--{boundary}--", ""]).encode("ascii")
    _prove(content, letter, rendered, posting)
    return content


def _header_values(letter: Letter, posting: Posting) -> dict[str, str]:
    frame = letter.frame
    if not _URL.match(letter.links.unsubscribe):
        raise UnsafeText("links.unsubscribe: not a plain http(s) address")
    stop_by_mail = f"mailto:{quote(str(frame.reply_to), safe='@')}?subject=unsubscribe"
    programme = _LABEL.sub("-", posting.programme.lower()).strip("-")[:60] or "survey"
    return {
        "From": mailbox(guard("sender.name", frame.sender_name), frame.sender),
        "To": str(posting.recipient),
        "Reply-To": str(frame.reply_to),
        "Subject": encoded(guard("subject", letter.subject)),
        "Date": format_datetime(posting.at),
        "Message-ID": message_id(posting, frame.sender),
        "List-Unsubscribe": f"<{letter.links.unsubscribe}>,\r\n <{stop_by_mail}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": f"<{programme}.surveys.{frame.sender.domain}>",
        "Feedback-ID": f"{programme}:{posting.kind}:surveys:{frame.sender.domain}",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "MIME-Version": "1.0",
    }


def mailbox(name: str, address: Address) -> str:
    """A display name with its address; the name can never end the address before it."""
    if not name:
        return str(address)
    if not name.isascii():
        shown = encoded(name)
    elif _ATOMS.match(name):
        shown = name
    else:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        shown = f'"{escaped}"'
    return f"{shown}\r\n <{address}>"


def encoded(text: str) -> str:
    """Header text: as it is when ASCII, else as encoded-words (RFC 2047) that split between characters."""
    if text.isascii():
        return text
    words, part = [], b""
    for character in text:
        raw = character.encode()
        if len(part) + len(raw) > _WORD_BYTES:
            words.append(part)
            part = b""
        part += raw
    words.append(part)
    return "\r\n ".join(f"=?utf-8?B?{base64.b64encode(word).decode('ascii')}?=" for word in words)


def _prove(content: bytes, letter: Letter, rendered: Rendered, posting: Posting) -> None:
    """Read the bytes with the standard parser and compare all that may matter."""
    mail = message_from_bytes(content)
    if tuple(mail.keys()) != HEADERS:
        raise UnsafeText("mail: other headers than ours")
    for name, address in (
        ("From", letter.frame.sender),
        ("To", posting.recipient),
        ("Reply-To", letter.frame.reply_to),
    ):
        if [found for _, found in getaddresses([_unfolded(mail, name)])] != [str(address)]:
            raise UnsafeText(f"mail: header {name} does not hold exactly its one address")
    if _decoded(_unfolded(mail, "Subject")) != letter.subject:
        raise UnsafeText("mail: header Subject reads differently")
    expected = [("text/plain", rendered.text), ("text/html", rendered.html)]
    if mail.defects or _parts(mail) != expected:
        raise UnsafeText("mail: the body reads differently")


def _unfolded(mail: Message, name: str) -> str:
    return str(mail[name]).replace("\r\n", "").replace("\n", "")


def _decoded(value: str) -> str:
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, UnicodeError, LookupError):
        return ""


def _parts(mail: Message) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for part in mail.get_payload():
        if not isinstance(part, Message) or part.defects or part.is_multipart():
            return []
        body = part.get_payload(decode=True)
        found.append((part.get_content_type(), body.decode() if isinstance(body, bytes) else ""))
    return found
