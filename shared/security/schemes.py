"""How partners sign their webhooks: each a function from a request and its secrets to a verdict."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote

from shared.security.signatures import (
    Claim,
    Mac,
    RawHeaders,
    Refusal,
    Refused,
    Signed,
    Verdict,
    WebhookSecret,
    judge,
    mac_hex,
    single_headers,
    unix_instant,
    verify_standard,
    verify_zendesk,
)

_ESCAPES = re.compile(r"%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)
_MILLISECONDS = 3
MIN_SHARED_SECRET = 16


@dataclass(frozen=True, slots=True)
class Call:
    """A request as its sender made it.

    Attributes:
        url: the address that the sender knows, with the query.
        body: the raw bytes, of which the signature was made.
        at: machine wall time of receipt.
    """

    method: str
    url: str
    headers: RawHeaders
    body: bytes
    at: datetime

    def header(self, name: str) -> str:
        """A header's first value; "" without one. Headers are rarely signed: good for hints alone."""
        wanted = name.lower().encode()
        return next((v.decode("latin-1") for n, v in self.headers if n.lower() == wanted), "")


Verify = Callable[[Call, Sequence[WebhookSecret]], Verdict]
"""Whether a request is the sender's; several secrets at once, any one suffices."""


def standard(call: Call, secrets: Sequence[WebhookSecret]) -> Verdict:
    """Standard Webhooks."""
    return verify_standard(call.headers, call.body, secrets, call.at)


def zendesk(call: Call, secrets: Sequence[WebhookSecret]) -> Verdict:
    """Zendesk: time and body."""
    return verify_zendesk(call.headers, call.body, secrets, call.at)


def over_body(header: str, mac: Mac, prefix: str = "") -> Verify:
    """A signature over the body alone in one header; such senders sign no time."""

    def verify(call: Call, secrets: Sequence[WebhookSecret]) -> Verdict:
        found = single_headers(call.headers, (header.lower().encode(),))
        if isinstance(found, Refused):
            return found
        if not found[0].startswith(prefix.encode()):
            return Refused(Refusal.BAD_HEADER)
        given = found[0].removeprefix(prefix.encode())
        return judge(Claim((call.body,), (given,), timed=False), secrets, call.at, mac)

    return verify


def hubspot_v3(call: Call, secrets: Sequence[WebhookSecret]) -> Verdict:
    """HubSpot: method, address, body and time in milliseconds.

    HubSpot decodes some escapes of the address before it signs, its own libraries do not: both spellings
    count.
    """
    found = single_headers(call.headers, (b"x-hubspot-signature-v3", b"x-hubspot-request-timestamp"))
    if isinstance(found, Refused):
        return found
    signature, stamp = found
    at = unix_instant(stamp[:-_MILLISECONDS]) if stamp.isdigit() else None
    if at is not None:
        at += timedelta(milliseconds=int(stamp[-_MILLISECONDS:]))
    spellings = {call.url, _ESCAPES.sub(lambda escape: unquote(escape[0]), call.url)}
    contents = tuple(f"{call.method}{url}".encode() + call.body + stamp for url in sorted(spellings))
    return judge(Claim(contents, (signature,), at), secrets, call.at)


def stripe(call: Call, secrets: Sequence[WebhookSecret]) -> Verdict:
    """Stripe: `t=…,v1=…[,v1=…]` over time and body."""
    found = single_headers(call.headers, (b"stripe-signature",))
    if isinstance(found, Refused):
        return found
    pairs = [part.strip().partition(b"=") for part in found[0].split(b",")]
    stamps = [value for name, _, value in pairs if name == b"t"]
    given = tuple(value for name, _, value in pairs if name == b"v1")
    if len(stamps) != 1 or not given:
        return Refused(Refusal.BAD_HEADER)
    claim = Claim((stamps[0] + b"." + call.body,), given, unix_instant(stamps[0]))
    return judge(claim, secrets, call.at, mac_hex)


def shared_secret(call: Call, secrets: Sequence[WebhookSecret]) -> Verdict:
    """A sender that signs nothing: the secret itself, as `X-Afterword-Secret` or as Basic password."""
    given = single_headers(call.headers, (b"x-afterword-secret",))
    if isinstance(given, Refused):
        basic = basic_credentials(call)
        if basic is None:
            return given
        given = [basic[1]]
    return _known(given[0], secrets, call)


def write_key(call: Call, secrets: Sequence[WebhookSecret], in_body: bytes = b"") -> Verdict:
    """Segment's libraries: the write key as Basic user, else the one that the body gives."""
    basic = basic_credentials(call)
    given = (basic[0] if basic else b"") or in_body
    return _known(given, secrets, call) if given else Refused(Refusal.MISSING_HEADER)


def shared_text(text: str) -> WebhookSecret:
    """A secret that travels with each request, long enough that nobody guesses it.

    Raises:
        ValueError: It is shorter.
    """
    if len(text.strip()) < MIN_SHARED_SECRET:
        raise ValueError(f"a shared secret or write key has at least {MIN_SHARED_SECRET} characters")
    return WebhookSecret.plain(text)


def basic_credentials(call: Call) -> tuple[bytes, bytes] | None:
    """User and password of Basic authentication; None without readable ones."""
    found = single_headers(call.headers, (b"authorization",))
    if isinstance(found, Refused):
        return None
    scheme, _, text = found[0].partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        user, colon, password = base64.b64decode(text.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None


def _known(given: bytes, secrets: Sequence[WebhookSecret], call: Call) -> Verdict:
    if not secrets:
        return Refused(Refusal.NO_SECRET)
    matches = [hmac.compare_digest(secret.key, given) for secret in secrets]
    return Signed(None, call.at) if any(matches) else Refused(Refusal.BAD_SIGNATURE)
