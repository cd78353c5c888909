"""Named secrets, several at once: while one replaces another, both open what they closed."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MIN_SECRET_BYTES = 32
MAX_KID = 31  # fits the five bits that a token has for it


class KeyRingError(ValueError):
    """The configured secrets cannot be used; the message says what to write instead, never a secret."""


def decode_secret(text: str, name: str) -> bytes:
    """Read one base64 secret of at least 32 bytes.

    Args:
        text: Base64, with either alphabet, padded or not.
        name: What the secret is called in the settings, for the error.

    Raises:
        KeyRingError: It is no base64 or too short.
    """
    plain = text.strip().replace("-", "+").replace("_", "/").rstrip("=")
    try:
        secret = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise KeyRingError(f"{name} is not base64; make one with: openssl rand -base64 32") from None
    if len(secret) < MIN_SECRET_BYTES:
        raise KeyRingError(
            f"{name} has {len(secret)} bytes, at least {MIN_SECRET_BYTES} are needed; "
            "make one with: openssl rand -base64 32"
        )
    return secret


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Secrets by key id (1 to 31). New things are made with `current`; the others only read what is old."""

    current: int
    secrets: Mapping[int, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        if self.current not in self.secrets:
            raise KeyRingError(f"key {self.current} is current but not among the keys {sorted(self.secrets)}")
        for kid, secret in self.secrets.items():
            if not 1 <= kid <= MAX_KID:
                raise KeyRingError(f"key id {kid} is out of range; use 1 to {MAX_KID}")
            if len(secret) < MIN_SECRET_BYTES:
                raise KeyRingError(f"key {kid} is shorter than {MIN_SECRET_BYTES} bytes")

    @classmethod
    def parse(cls, text: str, name: str = "keys") -> Self:
        """Read `kid:base64[,kid:base64...]`; the first is current.

        To rotate: append the new key everywhere, then move it to the front, then drop the old one once
        nothing that it made is in use.
        """
        secrets: dict[int, bytes] = {}
        for entry in filter(None, (part.strip() for part in text.split(","))):
            kid, colon, secret = entry.partition(":")
            if not colon or not (kid.isascii() and kid.isdigit()):
                raise KeyRingError(f"{name}: write each key as number:base64, for example 1:3q2+7w...")
            if int(kid) in secrets:
                raise KeyRingError(f"{name}: key {kid} is there twice")
            secrets[int(kid)] = decode_secret(secret, f"{name}, key {kid}")
        if not secrets:
            raise KeyRingError(f"{name} is empty; write at least one key as 1:<base64 of 32 bytes>")
        return cls(current=next(iter(secrets)), secrets=secrets)

    def derived(self, purpose: str) -> Mapping[int, bytes]:
        """A 256-bit key per key id for one purpose, so that no secret is ever used for two things."""
        return {kid: derive_key(secret, purpose) for kid, secret in self.secrets.items()}


def derive_key(secret: bytes, purpose: str) -> bytes:
    """Derive the 256-bit key that a secret has for one purpose (HKDF-SHA256)."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"afterword/{purpose}".encode()).derive(secret)
