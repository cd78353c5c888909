"""Signatures that everybody can check: JSON Web Signatures with Ed25519 (RFC 7515, RFC 8037).

The keys are derived from those that sign links, so there is no further secret to keep. What is signed is a
JSON Web Token, because every language has a library that checks one; the public keys are a JSON Web Key Set.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from shared.security.keyring import KeyRing

ALGORITHM = "EdDSA"
_PURPOSE = "public-signature"


class PublicSigner:
    """Signs with the current key; the public halves of all known keys are given away."""

    def __init__(self, ring: KeyRing) -> None:
        self._current = ring.current
        derived = ring.derived(_PURPOSE)
        self._keys = {kid: Ed25519PrivateKey.from_private_bytes(key) for kid, key in derived.items()}

    def sign(
        self, issuer: str, subject: str, claims: Mapping[str, Any], at: datetime, valid: timedelta
    ) -> str:
        """A token that says something until its time is over; the same arguments give the same token.

        Args:
            issuer: The address of this installation.
            subject: What it is about.
            claims: What is said, as JSON has it.
            at: Since when, by the machine's clock: others compare it with theirs.
            valid: For how long.
        """
        times = {"iat": int(at.timestamp()), "exp": int((at + valid).timestamp())}
        body = {"iss": issuer, "sub": subject, **times, **claims}
        return jwt.encode(
            body, self._keys[self._current], algorithm=ALGORITHM, headers={"kid": str(self._current)}
        )

    def key_set(self) -> dict[str, list[dict[str, Any]]]:
        """The public keys, as RFC 7517 writes them; the current one first."""
        order = sorted(self._keys, key=lambda kid: kid != self._current)
        return {"keys": [self._public(kid) for kid in order]}

    def _public(self, kid: int) -> dict[str, Any]:
        key: dict[str, Any] = OKPAlgorithm.to_jwk(self._keys[kid].public_key(), as_dict=True)
        return key | {"kid": str(kid), "alg": ALGORITHM, "use": "sig"}
