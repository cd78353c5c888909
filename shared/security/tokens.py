"""Short signed tokens for links: who and for what, checked without a look-up.

Layout before base64url: one byte (version and key id), 16 bytes subject, `extra`, 16 bytes MAC. The MAC
covers the purpose, so that an answer link never unsubscribes anybody. A token holds no personal data.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.security.keyring import KeyRing
from shared.security.public import PublicSigner

VERSION = 1
MAC_BYTES = 16
MIN_BYTES = 1 + 16 + MAC_BYTES
MAX_EXTRA_BYTES = 64
MAX_CHARS = (MIN_BYTES + MAX_EXTRA_BYTES) * 4 // 3 + 2
_TIME_BYTES = 6  # milliseconds since 1970
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Verified:
    """What a token with a good signature says."""

    subject: UUID
    extra: bytes


@dataclass(frozen=True, slots=True)
class Nonce:
    """What a page's nonce says: when the page was rendered, and the salt it was given."""

    at: datetime
    salt: bytes


class Tokens:
    """Signs and verifies; several keys at once while one replaces another."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._current = ring.current
        self._keys = ring.derived("token")

    def public(self) -> PublicSigner:
        """A signer with keys of their own from the same secrets, for what everybody is to check."""
        return PublicSigner(self._ring)

    def sign(self, purpose: str, subject: UUID, extra: bytes = b"") -> str:
        """A token (44 characters and more) that verifies for this purpose alone.

        Raises:
            ValueError: `extra` is longer than 64 bytes.
        """
        if len(extra) > MAX_EXTRA_BYTES:
            raise ValueError(f"extra has {len(extra)} bytes; at most {MAX_EXTRA_BYTES} fit a token")
        signed = bytes([VERSION << 5 | self._current]) + subject.bytes + extra
        mac = _mac(self._keys[self._current], purpose, signed)
        return base64.urlsafe_b64encode(signed + mac).rstrip(b"=").decode()

    def verify(self, purpose: str, token: str) -> Verified | None:
        """What the token says, or None for anything that was not signed here for this purpose."""
        raw = _decode(token)
        if raw is None or raw[0] >> 5 != VERSION:
            return None
        key = self._keys.get(raw[0] & 0b11111)
        if key is None:
            return None
        signed, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
        if not hmac.compare_digest(_mac(key, purpose, signed), mac):
            return None
        return Verified(UUID(bytes=signed[1:17]), signed[17:])

    def sign_nonce(self, subject: UUID, at: datetime, salt: bytes) -> str:
        """A nonce for one rendering of one page; nothing is stored.

        Args:
            subject: What the page is about.
            at: When it was rendered.
            salt: Random bytes (58 at most), different for each rendering.
        """
        millis = (at - _EPOCH) // timedelta(milliseconds=1)
        return self.sign("nonce", subject, millis.to_bytes(_TIME_BYTES, "big") + salt)

    def verify_nonce(self, subject: UUID, nonce: str, now: datetime, max_age: timedelta) -> Nonce | None:
        """What the nonce says, or None when it is forged, another page's, or older than `max_age`.

        A nonce from the future is taken: it was signed here, by a process whose clock is a little ahead.
        """
        verified = self.verify("nonce", nonce)
        if verified is None or verified.subject != subject or len(verified.extra) < _TIME_BYTES:
            return None
        at = _EPOCH + timedelta(milliseconds=int.from_bytes(verified.extra[:_TIME_BYTES], "big"))
        return None if now - at > max_age else Nonce(at, verified.extra[_TIME_BYTES:])


def _mac(key: bytes, purpose: str, signed: bytes) -> bytes:
    label = purpose.encode()
    return hmac.digest(key, bytes([len(label)]) + label + signed, "sha256")[:MAC_BYTES]


def _decode(token: str) -> bytes | None:
    """The token's bytes; None unless it is exactly what `sign` writes, to the last unused bit."""
    if len(token) > MAX_CHARS or not token.isascii():
        return None
    text = token.encode()
    try:
        raw = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) < MIN_BYTES or base64.urlsafe_b64encode(raw).rstrip(b"=") != text:
        return None
    return raw
