"""Twilio's calls: what became of a text message, and what people send back."""

from __future__ import annotations

import hmac
import string
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from services.dispatch.domain.fate import Fate, sms_fate, sms_reason
from shared.contracts.reasons import Reason

SIGNATURE = "x-twilio-signature"
_PORTS = {"https": 443, "http": 80}
_STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
"""The words that the provider itself takes for an opt-out, in any case."""
_START = frozenset({"START", "UNSTOP", "YES"})
"""Those by which it takes an opt-out back."""
_AROUND = string.whitespace + string.punctuation + "\u2026"
"""What may stand around such a word."""
MAX_BODY = 1600


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a message that was handed over."""

    delivery_id: UUID
    fate: Fate
    reason: Reason
    code: str


class Wish(StrEnum):
    """What somebody wants who sends one word: no more messages, or messages again."""

    STOP = "stop"
    START = "start"


@dataclass(frozen=True, slots=True)
class Reply:
    """A text message that came back.

    Attributes:
        wish: what it wants, where it is one of the provider's words.
        confirmed: the provider says that it took it for that word, and answers the person itself.
    """

    reply_id: str
    number: str
    body: str
    wish: Wish | None = None
    confirmed: bool = False


def is_signed(url: str, form: Sequence[tuple[str, str]], signature: str, tokens: Sequence[str]) -> bool:
    """Whether a call was signed with one of the account's tokens.

    Args:
        url: the address as the provider called it, with its query.
        form: the fields of the body in any order.
        signature: the header.
        tokens: secrets of the account; two while one replaces the other.
    """
    fields = "".join(name + value for name, value in sorted(set(form)))
    expected = [
        b64encode(hmac.digest(token.encode(), (address + fields).encode(), "sha1"))
        for token in tokens
        for address in _spellings(url)
    ]
    matches = [hmac.compare_digest(one, signature.encode("utf-8", "replace")) for one in expected]
    return any(matches)


def _spellings(url: str) -> tuple[str, ...]:
    """The address with and without the port of its scheme: the provider has signed both."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or _PORTS.get(parts.scheme, 0)
    return tuple(
        urlunsplit((parts.scheme, netloc, parts.path, parts.query, parts.fragment))
        for netloc in (host, f"{host}:{port}")
    )


def read_report(delivery: str, form: Mapping[str, str]) -> Report | None:
    """What a status call says; None when it names no delivery of ours or says nothing about its end."""
    fate = sms_fate(form.get("MessageStatus", ""))
    code = form.get("ErrorCode", "")
    try:
        delivery_id = UUID(delivery)
    except ValueError:
        return None
    if fate is None:
        return None
    number = int(code) if code.isascii() and code.isdigit() else 0
    return Report(delivery_id, fate, sms_reason(number), f"sms: {number}" if number else "")


def read_reply(form: Mapping[str, str]) -> Reply | None:
    """A text message that came in; None when it has no id or no sender."""
    reply_id, number = form.get("MessageSid", ""), form.get("From", "")
    if not reply_id or not number:
        return None
    body = form.get("Body", "")[:MAX_BODY]
    wish = _WISHES.get(form.get("OptOutType", "").upper())
    return Reply(reply_id[:64], number, body, wish or _wish(body), confirmed=wish is not None)


_WISHES = {"STOP": Wish.STOP, "START": Wish.START}
"""`OptOutType` of senders with words of their own, in whatever language."""


def _wish(body: str) -> Wish | None:
    word = body.strip(_AROUND).upper()
    return Wish.STOP if word in _STOP else Wish.START if word in _START else None
