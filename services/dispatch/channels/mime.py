"""A mail as bytes: one fixed skeleton with slots, read back by another parser before it may leave.

Written by hand because the standard library's generator is 150 times slower and has turned values into
headers (CVE-2024-6923, CVE-2026-1299). The re-parse proves for every single mail: exactly one recipient,
exactly our headers, exactly our two parts (SEC-M2).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser
from email.utils import format_datetime, getaddresses
from functools import lru_cache
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
_BODY_LINE = 76
_BOUNDARIES = 3
_OF_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n"
_parser = BytesHeaderParser()


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
    body = _body(boundary, _base64(rendered.text), _base64(rendered.html))
    content = "\r\n".join([*lines, "", body]).encode("ascii")
    _prove(content, boundary, letter, posting)
    return content


def _body(boundary: str, text: str, html: str) -> str:
    """Two parts between their boundaries."""
    parts = [
        f"--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{part}\r\n"
        for kind, part in (("plain", text), ("html", html))
    ]
    return "".join([*parts, f"--{boundary}--\r\n"])


_FRAME = _body("=_aw_", "", "").encode("ascii").translate(None, _OF_BASE64)
"""What is left of every body when all characters of base64 are taken out: our own frame alone."""


def _base64(body: str) -> str:
    text = binascii.b2a_base64(body.encode(), newline=False).decode("ascii")
    return "\r\n".join([text[start : start + _BODY_LINE] for start in range(0, len(text), _BODY_LINE)])


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


def _prove(content: bytes, boundary: str, letter: Letter, posting: Posting) -> None:
    """Read the bytes back and compare all that may matter.

    The headers with the standard parser: they carry what others wrote. The bodies are base64, which knows
    neither hyphen nor dot nor underscore, so between their three boundaries nothing else can begin.
    """
    head, _, body = content.partition(b"\r\n\r\n")
    mail = _parser.parsebytes(head + b"\r\n\r\n")
    if mail.defects or tuple(mail.keys()) != HEADERS:
        raise UnsafeText("mail: other headers than ours")
    values = {name: value.replace("\r\n", "").replace("\n", "") for name, value in mail.items()}
    if values["To"] != str(posting.recipient):
        raise UnsafeText("mail: header To does not hold exactly its one address")
    for name, address in (("From", letter.frame.sender), ("Reply-To", letter.frame.reply_to)):
        if _addresses(values[name]) != (str(address),):
            raise UnsafeText(f"mail: header {name} does not hold exactly its one address")
    subject = values["Subject"]
    if subject != letter.subject and _decoded(subject) != letter.subject:
        raise UnsafeText("mail: header Subject reads differently")
    boundaries = body.count(b"--" + boundary.encode("ascii"))
    if body.translate(None, _OF_BASE64) != _FRAME or boundaries != _BOUNDARIES:
        raise UnsafeText("mail: the body reads differently")


@lru_cache(maxsize=1024)
def _addresses(value: str) -> tuple[str, ...]:
    """All addresses that a header names; senders are few."""
    return tuple(found for _, found in getaddresses([value]))


def _decoded(value: str) -> str:
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, UnicodeError, LookupError):
        return ""
