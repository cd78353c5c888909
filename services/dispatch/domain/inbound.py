"""What a mail that came back says: a bounce, a complaint, an automatic answer, stop, or a word to a person.

Read with the standard library's parser; bounces that follow no standard with `flufl.bounce`. Nothing here
trusts the sender: which mail it is about stands in the address it came to, which only we can sign.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from enum import StrEnum

from flufl.bounce import all_failures

from services.dispatch.domain.bounces import bounce_kind, status_in
from services.dispatch.domain.stop_words import says_stop
from shared.contracts.deliveries import BounceKind


class Said(StrEnum):
    """What a mail comes to."""

    BOUNCED = "bounced"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    COMPLAINED = "complained"
    AUTOMATIC = "automatic"
    STOP = "stop"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that came in, as far as it matters; none of its words."""

    said: Said
    kind: BounceKind | None = None
    status: str = ""
    message_id: str = ""


_AUTOMATIC_SUBJECTS = (
    "automatic reply", "auto(?:matic)?[- ]?(?:reply|response)", "out of (?:the )?office", "away from",
    "abwesen", "automatische antwort", "autosvar", "frånvaro", "automatiskt svar", "respuesta autom",
    "fuera de la oficina", "réponse automatique", "absence", "resposta autom", "ausência", "ausencia",
)  # fmt: skip
_AUTOMATIC_SUBJECT = re.compile(rf"\s*(?:{'|'.join(_AUTOMATIC_SUBJECTS)})", re.IGNORECASE)


def read_mail(raw: bytes) -> Mail:
    """Say what a mail is; whatever cannot be told for sure is a reply, which a person reads."""
    mail = message_from_bytes(raw, policy=policy.compat32)
    message_id = str(mail.get("Message-ID", ""))[:200]
    report = str(mail.get_param("report-type", "")).lower()
    if mail.get_content_type() == "multipart/report" and report == "delivery-status":
        return _of_status(mail, message_id)
    if mail.get_content_type() == "multipart/report" and report == "feedback-report":
        return _of_feedback(mail, message_id)
    if failed := _unstandard(mail):
        status = status_in(_text(raw))
        return Mail(Said.BOUNCED, bounce_kind(status) if status else failed, status, message_id)
    if _automatic(mail):
        return Mail(Said.AUTOMATIC, message_id=message_id)
    said = Said.STOP if says_stop(_subject(mail), _text(raw)) else Said.REPLY
    return Mail(said, message_id=message_id)


def _unstandard(mail: Message) -> BounceKind | None:
    """How hard a bounce of no standard form is; None for what is none that anybody knows."""
    try:
        temporary, permanent = all_failures(mail)
    except (LookupError, ValueError, TypeError, AttributeError, AssertionError):
        # The detectors expect a mail; what has no sender or no readable part is no bounce they know.
        return None
    return BounceKind.HARD if permanent else BounceKind.SOFT if temporary else None


def _of_status(mail: Message, message_id: str) -> Mail:
    """A delivery status notification (RFC 3464); the first recipient's fate is the mail's, for it had one."""
    for block in _blocks(mail, "message/delivery-status"):
        action = str(block.get("Action", "")).strip().lower()
        status = status_in(str(block.get("Status", ""))) or status_in(str(block.get("Diagnostic-Code", "")))
        if action == "failed":
            return Mail(Said.BOUNCED, bounce_kind(status), status, message_id)
        if action == "delayed":
            return Mail(Said.DELAYED, status=status, message_id=message_id)
        if action in {"delivered", "relayed", "expanded"}:
            return Mail(Said.DELIVERED, status=status, message_id=message_id)
    return Mail(Said.AUTOMATIC, message_id=message_id)


def _of_feedback(mail: Message, message_id: str) -> Mail:
    """An abuse report (RFC 5965); `not-spam` takes one back, the others complain."""
    for block in _blocks(mail, "message/feedback-report"):
        if kind := str(block.get("Feedback-Type", "")).strip().lower():
            said = Said.AUTOMATIC if kind == "not-spam" else Said.COMPLAINED
            return Mail(said, message_id=message_id)
    return Mail(Said.AUTOMATIC, message_id=message_id)


def _blocks(mail: Message, kind: str) -> list[Message]:
    """The groups of fields in a report's parts; a part that was sent as plain text is read again."""
    found: list[Message] = []
    for part in mail.walk():
        if part.get_content_type() == kind:
            payload = part.get_payload()
            if isinstance(payload, list):
                found += [block for block in payload if isinstance(block, Message)]
            else:
                content = part.get_payload(decode=True)
                found.append(message_from_bytes(content if isinstance(content, bytes) else b""))
    return found


def _automatic(mail: Message) -> bool:
    """Whether a machine answered: an absence note, a ticket number, a confirmation of receipt."""
    submitted = str(mail.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    precedence = str(mail.get("Precedence", "")).strip().lower()
    marks = ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress", "X-Autogenerated")
    return (
        submitted != "no"
        or precedence in {"bulk", "junk", "auto_reply", "list"}
        or any(mark in mail for mark in marks)
        or mail.get("Return-Path", "").strip() == "<>"
        or bool(_AUTOMATIC_SUBJECT.match(_subject(mail)))
    )


def _subject(mail: Message) -> str:
    """The subject in clear; as it stands when it cannot be decoded."""
    raw = str(mail.get("Subject", ""))
    try:
        return str(make_header(decode_header(raw)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return raw


def _text(raw: bytes) -> str:
    """The plain text of a mail; "" when it has none that can be read."""
    mail = message_from_bytes(raw, policy=policy.default)
    try:
        body = mail.get_body(("plain",))
        return str(body.get_content()) if body else ""
    except (LookupError, UnicodeError, ValueError, KeyError, AttributeError):
        return ""
