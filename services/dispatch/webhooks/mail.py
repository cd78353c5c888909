"""What providers of mail report, each in its own way: SES over SNS, SendGrid, Mailgun, Postmark.

A report names its mail by our own `Message-ID`, by the signed return address, or, where a provider keeps
neither, by the recipient's address alone.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.dispatch.domain.bounces import bounce_kind, status_in
from services.dispatch.domain.return_path import read_local
from shared.contracts.deliveries import BounceKind

_MESSAGE_ID = re.compile(r"<?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})@")


class What(StrEnum):
    """What a report says of a mail."""

    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class MailReport:
    """One report about one mail.

    Attributes:
        delivery_id: by our own Message-ID; None when the provider keeps it to itself.
        return_token: of the signed return address, if that was named.
        recipient: the address, for want of anything better.
        detail: the provider's code, never an address.
    """

    what: What
    delivery_id: UUID | None
    return_token: str
    recipient: str
    kind: BounceKind | None = None
    detail: str = ""


def _report(
    what: What, names: Iterable[object], recipient: object, kind: BounceKind | None = None, detail: str = ""
) -> MailReport:
    """A report about the mail that one of these names belongs to."""
    texts = [name for name in names if isinstance(name, str)]
    found = next((m for text in texts if (m := _MESSAGE_ID.search(text))), None)
    local = next((r for text in texts if (r := read_local(text))), None)
    return MailReport(
        what,
        UUID(found[1]) if found else None,
        local[1] if local else "",
        recipient if isinstance(recipient, str) else "",
        kind,
        detail,
    )


# --- SES over SNS -------------------------------------------------------------------------------


def _object(value: object) -> Mapping[str, Any]:
    """A field that should be an object; anything else says nothing."""
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def read_ses(message: Mapping[str, Any]) -> list[MailReport]:
    """The reports in a notification of SES."""
    try:
        told = json.loads(str(message.get("Message", "")))
    except ValueError:
        return []
    if not isinstance(told, dict):
        return []
    mail = _object(told.get("mail"))
    headers = _object(mail.get("commonHeaders"))
    written = map(_object, _list(mail.get("headers")))
    own = [h.get("value") for h in written if str(h.get("name")).lower() == "message-id"]
    names = [*own, headers.get("messageId"), mail.get("source")]
    match told.get("notificationType") or told.get("eventType"):
        case "Bounce":
            bounce = _object(told.get("bounce"))
            return [
                _report(
                    What.BOUNCED,
                    names,
                    one.get("emailAddress"),
                    _ses_kind(bounce, one),
                    status_in(str(one.get("status") or one.get("diagnosticCode") or "")),
                )
                for one in map(_object, _list(bounce.get("bouncedRecipients")))
            ]
        case "Complaint":
            people = _list(_object(told.get("complaint")).get("complainedRecipients"))
            return [_report(What.COMPLAINED, names, _object(one).get("emailAddress")) for one in people]
        case "Delivery":
            return [
                _report(What.DELIVERED, names, one)
                for one in _list(_object(told.get("delivery")).get("recipients"))
            ]
        case _:
            return []


def _ses_kind(bounce: Mapping[str, Any], recipient: Mapping[str, Any]) -> BounceKind:
    status = status_in(str(recipient.get("status") or recipient.get("diagnosticCode") or ""))
    if bounce.get("bounceSubType") in {"ContentRejected", "MessageTooLarge", "AttachmentRejected"}:
        return BounceKind.POLICY
    if bounce.get("bounceType") == "Permanent":
        kind = bounce_kind(status) if status else BounceKind.HARD
        return BounceKind.HARD if kind is BounceKind.SOFT else kind
    return BounceKind.SOFT


# --- SendGrid -----------------------------------------------------------------------------------


def sendgrid_is_signed(body: bytes, timestamp: str, signature: str, public_key: str) -> bool:
    """Whether SendGrid signed time and body (ECDSA over P-256) with the key its page shows."""
    try:
        key = serialization.load_der_public_key(base64.b64decode(public_key))
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        key.verify(
            base64.b64decode(signature, validate=True), timestamp.encode() + body, ec.ECDSA(hashes.SHA256())
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def read_sendgrid(events: object) -> list[MailReport]:
    """The reports in a batch of SendGrid's events."""
    found: list[MailReport] = []
    for event in map(_object, _list(events)):
        names, who = (event.get("smtp-id"),), event.get("email")
        status = status_in(f"{event.get('status') or ''} {event.get('reason') or ''}")
        match event.get("event"):
            case "delivered":
                found.append(_report(What.DELIVERED, names, who))
            case "bounce":
                kind = BounceKind.POLICY if event.get("type") == "blocked" else BounceKind.HARD
                by_code = bounce_kind(status) if status else kind
                kind = by_code if by_code is not BounceKind.SOFT else kind
                found.append(_report(What.BOUNCED, names, who, kind, status))
            case "dropped" if "bounce" in str(event.get("reason", "")).lower():
                found.append(_report(What.BOUNCED, names, who, BounceKind.HARD, status))
            case "spamreport":
                found.append(_report(What.COMPLAINED, names, who))
            case "unsubscribe" | "group_unsubscribe":
                found.append(_report(What.STOPPED, names, who))
            case _:
                continue
    return found


# --- Mailgun ------------------------------------------------------------------------------------


def mailgun_is_signed(told: Mapping[str, Any], keys: Sequence[str]) -> bool:
    """Whether Mailgun signed the time and the token that stand in the body."""
    signature = told.get("signature")
    if not isinstance(signature, dict):
        return False
    content = f"{signature.get('timestamp', '')}{signature.get('token', '')}".encode()
    given = str(signature.get("signature", "")).encode("utf-8", "replace")
    matches = [
        hmac.compare_digest(hmac.digest(key.encode(), content, "sha256").hex().encode(), given)
        for key in keys
    ]
    return any(matches)


MAILGUN_AGE = timedelta(hours=12)
"""Mailgun repeats a call that was not taken for eight hours."""

MAILGUN_AHEAD = timedelta(minutes=5)
_STAMP = re.compile(r"[0-9]{1,11}")
_TOKEN = re.compile(r"[A-Za-z0-9]{1,100}")


def mailgun_token(told: Mapping[str, Any], now: datetime) -> str:
    """The token of a signed call, which is good for one call alone; "" for one that is too old, or has none.

    Mailgun signs the time and the token and not what it reports, so that a signature which somebody has seen
    would prove anything: it must be used once.

    Args:
        told: the body.
        now: machine time.
    """
    signature = _object(told.get("signature"))
    stamp, token = str(signature.get("timestamp", "")), str(signature.get("token", ""))
    if not _STAMP.fullmatch(stamp) or not _TOKEN.fullmatch(token):
        return ""
    age = now.timestamp() - int(stamp)
    return token if -MAILGUN_AHEAD.total_seconds() <= age <= MAILGUN_AGE.total_seconds() else ""


def read_mailgun(told: Mapping[str, Any]) -> list[MailReport]:
    """The report in an event of Mailgun."""
    event = told.get("event-data")
    if not isinstance(event, dict):
        return []
    headers = _object(_object(event.get("message")).get("headers"))
    names, who = (headers.get("message-id"),), event.get("recipient")
    status = _object(event.get("delivery-status"))
    code = status_in(f"{status.get('enhanced-code') or ''} {status.get('message') or ''}")
    match event.get("event"):
        case "delivered":
            return [_report(What.DELIVERED, names, who)]
        case "failed" if event.get("severity") == "permanent":
            kind = bounce_kind(code) if code else BounceKind.HARD
            return [_report(What.BOUNCED, names, who, kind, code)]
        case "complained":
            return [_report(What.COMPLAINED, names, who)]
        case "unsubscribed":
            return [_report(What.STOPPED, names, who)]
        case _:
            # A temporary failure is Mailgun's to try again.
            return []


# --- Postmark -----------------------------------------------------------------------------------

_POSTMARK_HARD = frozenset({"HardBounce", "BadEmailAddress", "ManuallyDeactivated", "Unknown"})
_POSTMARK_POLICY = frozenset(
    {"SpamNotification", "Blocked", "DMARCPolicy", "TemplateRenderingFailed", "VirusNotification"}
)


def read_postmark(told: Mapping[str, Any]) -> list[MailReport]:
    """The report in a call of Postmark, which signs nothing: its secret stands in the request."""
    metadata = _object(told.get("Metadata"))
    names = (metadata.get("message-id"), told.get("From"))
    match told.get("RecordType"):
        case "Delivery":
            return [_report(What.DELIVERED, names, told.get("Recipient"))]
        case "Bounce":
            kind = str(told.get("Type"))
            how = (
                BounceKind.HARD
                if kind in _POSTMARK_HARD
                else BounceKind.POLICY
                if kind in _POSTMARK_POLICY
                else BounceKind.SOFT
            )
            code = status_in(str(told.get("Details") or ""))
            return [_report(What.BOUNCED, names, told.get("Email"), how, code)]
        case "SpamComplaint":
            return [_report(What.COMPLAINED, names, told.get("Email"))]
        case "SubscriptionChange" if told.get("SuppressSending"):
            return [_report(What.STOPPED, names, told.get("Recipient"))]
        case _:
            return []
