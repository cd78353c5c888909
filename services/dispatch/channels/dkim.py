"""DKIM signatures (RFC 6376) for mails that no relay behind us signs: relaxed/relaxed, RSA with SHA-256.

Signed with `cryptography`, for a pure-Python RSA takes 30 times as long as all else about a mail; that the
result is right is proven with `dkimpy` in the tests.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

SIGNED = (
    "from", "to", "reply-to", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post",
    "list-id", "feedback-id", "mime-version", "content-type",
)  # fmt: skip
"""Both headers of one-click unsubscribing are among them, as RFC 8058 wants."""

MIN_RSA_BITS = 1024
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_SPACES = re.compile(rb"[ \t]+")
_TRAILING = re.compile(rb"[ \t]+(?=\r\n)")
_CHANGED = (b"\t", b"  ", b" \r\n")
"""What there must be for white space to change at all: other than single spaces inside of lines."""
_SELECTOR = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,60}[A-Za-z0-9])?\Z")


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs mails of one domain with one key."""

    domain: str
    selector: str
    key: rsa.RSAPrivateKey

    @classmethod
    def load(cls, domain: str, selector: str, pem: bytes) -> Signer:
        """Read a private key.

        Raises:
            ValueError: it is no RSA key of 1024 bits or more, or the selector is no name.
        """
        if not _SELECTOR.match(selector):
            raise ValueError("a DKIM selector is letters, digits, dots and hyphens")
        key = serialization.load_pem_private_key(pem, None)
        if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < MIN_RSA_BITS:
            raise ValueError("a DKIM key is RSA of 1024 bits or more")
        return cls(domain, selector, key)

    def sign(self, mail: bytes) -> bytes:
        """The mail with its signature on top; lines end in CR LF."""
        head, _, body = mail.partition(b"\r\n\r\n")
        fields = _fields(head)
        digest = base64.b64encode(hashlib.sha256(_relaxed_body(body)).digest()).decode("ascii")
        names = [name for name in SIGNED if name.encode() in fields]
        value = (
            f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={self.domain}; s={self.selector};\r\n"
            f" h={':'.join(names)};\r\n bh={digest};\r\n b="
        )
        signed = b"".join(fields[name.encode()] + b"\r\n" for name in names)
        signed += _relaxed_field(b"DKIM-Signature: " + value.encode())
        made = self.key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        signature = base64.b64encode(made).decode("ascii")
        folded = "\r\n ".join(signature[start : start + 70] for start in range(0, len(signature), 70))
        return f"DKIM-Signature: {value}{folded}\r\n".encode() + mail


def _fields(head: bytes) -> dict[bytes, bytes]:
    """Header fields by name in their relaxed form; of a name that comes twice the last one counts."""
    lines = _FOLD.sub(b"", head).split(b"\r\n")
    relaxed = [_relaxed_field(line) for line in lines if b":" in line]
    return {field.partition(b":")[0]: field for field in relaxed}


def _relaxed_field(field: bytes) -> bytes:
    name, _, value = _FOLD.sub(b"", field).partition(b":")
    return name.strip().lower() + b":" + _SPACES.sub(b" ", value).strip()


def _relaxed_body(body: bytes) -> bytes:
    """Runs of white space as one, none at the ends of lines, no empty lines at the end."""
    relaxed = body if body.endswith(b"\r\n") else body + b"\r\n"
    # Our mails are base64 with hardly a space in them: to look for one costs a twentieth of replacing none.
    if any(space in relaxed for space in _CHANGED):
        relaxed = _TRAILING.sub(b"", _SPACES.sub(b" ", relaxed))
    stripped = relaxed.rstrip(b"\r\n")
    return stripped + b"\r\n" if stripped else b""
