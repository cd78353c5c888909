"""Signatures of inbound webhooks, checked over the raw bytes before anything is parsed (SEC-W1).

Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`) for whatever we document ourselves,
Zendesk's, and `judge`, by which a partner's own scheme is told in a few lines. All take several secrets, for
rotation, and refuse what was signed more than five minutes from machine wall time, either way.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self

WINDOW = timedelta(seconds=300)
MAX_HEADER_BYTES = 2048
MAX_ID_CHARS = 255
MAX_ISO_CHARS = 35
MAX_UNIX_CHARS = 12
MIN_SECRET_BYTES = 24

RawHeaders = Iterable[tuple[bytes, bytes]]
"""Header names and values as they came, as in `request.headers.raw`; repeated ones are told apart."""


class Refusal(StrEnum):
    """Why a webhook is refused; also the metric label."""

    NO_SECRET = "no_secret"  # noqa: S105 -- a reason, not a secret
    MISSING_HEADER = "missing_header"
    DUPLICATE_HEADER = "duplicate_header"
    BAD_HEADER = "bad_header"
    BAD_TIMESTAMP = "bad_timestamp"
    TOO_OLD = "too_old"
    TOO_NEW = "too_new"
    BAD_SIGNATURE = "bad_signature"


WHAT_TO_DO: Mapping[Refusal, str] = {
    Refusal.NO_SECRET: "No secret is configured for this source; set one here and at the sender.",
    Refusal.MISSING_HEADER: "A signature header is missing; turn on signing at the sender.",
    Refusal.DUPLICATE_HEADER: "A signature header came twice; send each once.",
    Refusal.BAD_HEADER: "A signature header is unreadable; send it as the documentation shows.",
    Refusal.BAD_TIMESTAMP: "The signed time is unreadable; send whole Unix seconds (Zendesk: ISO 8601).",
    Refusal.TOO_OLD: "The signed time is over 5 minutes ago; sign each attempt anew.",
    Refusal.TOO_NEW: "The signed time is over 5 minutes ahead; check the sender's clock.",
    Refusal.BAD_SIGNATURE: "The signature does not match; check the secret, send the body as signed.",
}


@dataclass(frozen=True, slots=True)
class Signed:
    """The sender is who holds the secret.

    `message_id` is None where the scheme has no id of its own; `signed_at` is the time of receipt where it
    signs no time.
    """

    message_id: str | None
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """The request proves nothing about its sender."""

    reason: Refusal

    @property
    def what_to_do(self) -> str:
        """One sentence for whoever set the sender up; tells nothing about the secret."""
        return WHAT_TO_DO[self.reason]


Verdict = Signed | Refused


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """The bytes that sign; read with the rules of the scheme they belong to."""

    key: bytes = field(repr=False)

    @classmethod
    def standard(cls, text: str) -> Self:
        """Read `whsec_` + base64 of at least 24 bytes.

        Raises:
            ValueError: It is something else; the message does not quote it.
        """
        encoded = text.strip().removeprefix("whsec_")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("a webhook secret is whsec_ followed by base64") from None
        if len(key) < MIN_SECRET_BYTES:
            raise ValueError(f"a webhook secret has at least {MIN_SECRET_BYTES} bytes, this one {len(key)}")
        return cls(key)

    @classmethod
    def plain(cls, text: str) -> Self:
        """Read a secret that a partner shows as text and uses as it stands.

        Raises:
            ValueError: It is empty.
        """
        if not text.strip():
            raise ValueError("a signing secret is empty; copy it from the sender's page of the webhook")
        return cls(text.strip().encode())


Mac = Callable[[WebhookSecret, bytes], bytes]
"""The text that a secret makes of a content: a keyed hash, encoded as the scheme wants it."""


def mac_base64(secret: WebhookSecret, content: bytes) -> bytes:
    """HMAC-SHA256 as base64."""
    return base64.b64encode(hmac.digest(secret.key, content, "sha256"))


def mac_hex(secret: WebhookSecret, content: bytes) -> bytes:
    """HMAC-SHA256 as hexadecimal digits."""
    return hmac.digest(secret.key, content, "sha256").hex().encode()


def mac_hex_sha1(secret: WebhookSecret, content: bytes) -> bytes:
    """HMAC-SHA1 as hexadecimal digits; for partners that sign with nothing better."""
    return hmac.digest(secret.key, content, "sha1").hex().encode()


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of itself.

    Attributes:
        contents: the bytes that were signed; several where the scheme leaves open how it spells an address.
        given: the signatures it brings; any one suffices.
        signed_at: the signed time; None when it cannot be read, or when the scheme signs none.
        timed: whether the scheme signs a time.
        message_id: the sender's id of the request, if the scheme has one.
    """

    contents: tuple[bytes, ...]
    given: tuple[bytes, ...]
    signed_at: datetime | None = None
    timed: bool = True
    message_id: bytes | None = None


def sign_standard(message_id: str, at: datetime, body: bytes, *secrets: WebhookSecret) -> dict[str, str]:
    """The headers by which Standard Webhooks sends a JSON body.

    Args:
        message_id: the same for all attempts; receivers know a repetition by it.
        at: when the attempt is made, by the machine's clock: receivers refuse what is five minutes off.
        body: what is sent.
        secrets: all that are valid now, the newest first; a receiver needs to know one of them.
    """
    seconds = str(int(at.timestamp()))
    content = f"{message_id}.{seconds}.".encode() + body
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{mac_base64(secret, content).decode()}" for secret in secrets),
    }


def verify_standard(
    headers: RawHeaders, body: bytes, secrets: Sequence[WebhookSecret], now: datetime
) -> Verdict:
    """Check a request of the Standard Webhooks scheme.

    Args:
        headers: As they came.
        body: The raw bytes, before any parsing.
        secrets: All that are valid now; any one suffices.
        now: Machine wall time.
    """
    found = single_headers(headers, (b"webhook-id", b"webhook-timestamp", b"webhook-signature"))
    if isinstance(found, Refused):
        return found
    message_id, timestamp, signatures = found
    if not _is_id(message_id):
        return Refused(Refusal.BAD_HEADER)
    given = tuple(entry[3:] for entry in signatures.split(b" ") if entry.startswith(b"v1,"))
    content = message_id + b"." + timestamp + b"." + body
    claim = Claim((content,), given, unix_instant(timestamp), message_id=message_id)
    return judge(claim, secrets, now)


def sign_zendesk(secret: WebhookSecret, at: datetime, body: bytes) -> dict[str, str]:
    """The two headers that Zendesk would send for a body."""
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "X-Zendesk-Webhook-Signature": mac_base64(secret, stamp.encode() + body).decode(),
        "X-Zendesk-Webhook-Signature-Timestamp": stamp,
    }


def verify_zendesk(
    headers: RawHeaders, body: bytes, secrets: Sequence[WebhookSecret], now: datetime
) -> Verdict:
    """Check a request of a Zendesk webhook; arguments as for `verify_standard`.

    `message_id` is the invocation id, which Zendesk does not sign: good to tell repeats apart,
    proof of nothing.
    """
    lines = list(headers)
    found = single_headers(lines, (b"x-zendesk-webhook-signature", b"x-zendesk-webhook-signature-timestamp"))
    if isinstance(found, Refused):
        return found
    signature, timestamp = found
    claim = Claim(
        (timestamp + body,), (signature,), _iso_instant(timestamp), message_id=_invocation_id(lines)
    )
    return judge(claim, secrets, now)


def judge(claim: Claim, secrets: Sequence[WebhookSecret], now: datetime, mac: Mac = mac_base64) -> Verdict:
    """Decide about a request by what it says of itself; every scheme ends here."""
    if not secrets:
        return Refused(Refusal.NO_SECRET)
    if claim.timed and claim.signed_at is None:
        return Refused(Refusal.BAD_TIMESTAMP)
    signed_at = claim.signed_at or now
    if abs(now - signed_at) > WINDOW:
        return Refused(Refusal.TOO_OLD if now > signed_at else Refusal.TOO_NEW)
    expected = [mac(secret, content) for secret in secrets for content in claim.contents]
    if not _any_match(expected, claim.given):
        return Refused(Refusal.BAD_SIGNATURE)
    message_id = None if claim.message_id is None else claim.message_id.decode("ascii")
    return Signed(message_id, signed_at)


def _any_match(expected: Sequence[bytes], given: Sequence[bytes]) -> bool:
    """Compare all with all, in a time that does not tell which one matched.

    As bytes: compare_digest raises on text that is not ASCII, and the sender chooses the text.
    """
    matches = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in given]
    return any(matches)


def single_headers(headers: RawHeaders, names: Sequence[bytes]) -> list[bytes] | Refused:
    """The one value of each header (names in lower case), or why there is none."""
    values: dict[bytes, list[bytes]] = {name: [] for name in names}
    for name, value in headers:
        if (key := name.lower()) in values:
            values[key].append(value)
    if any(not found for found in values.values()):
        return Refused(Refusal.MISSING_HEADER)
    if any(len(found) > 1 for found in values.values()):
        return Refused(Refusal.DUPLICATE_HEADER)
    if any(len(found[0]) > MAX_HEADER_BYTES for found in values.values()):
        return Refused(Refusal.BAD_HEADER)
    return [values[name][0] for name in names]


def _invocation_id(headers: RawHeaders) -> bytes | None:
    found = single_headers(headers, (b"x-zendesk-webhook-invocation-id",))
    return found[0] if isinstance(found, list) and _is_id(found[0]) else None


def _is_id(value: bytes) -> bool:
    """Printable ASCII without space: it becomes a key in Postgres and a field of a log line."""
    return 0 < len(value) <= MAX_ID_CHARS and all(ord("!") <= byte <= ord("~") for byte in value)


def unix_instant(value: bytes) -> datetime | None:
    """Read whole Unix seconds; None for anything else, sign, fraction and far future included."""
    if not value.isdigit() or len(value) > MAX_UNIX_CHARS:
        return None
    try:
        return datetime.fromtimestamp(int(value), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _iso_instant(value: bytes) -> datetime | None:
    """An instant with its zone; None for anything else."""
    if len(value) > MAX_ISO_CHARS:
        return None
    try:
        at = datetime.fromisoformat(value.decode("ascii"))
        return None if at.utcoffset() is None else at.astimezone(UTC)
    except (ValueError, OverflowError):  # UnicodeDecodeError is a ValueError
        return None
