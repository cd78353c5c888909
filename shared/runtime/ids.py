"""Identities: derived from natural keys, so a repetition finds its first self; random for secrets."""

from __future__ import annotations

import secrets
import uuid
from uuid import UUID

from shared.identity import named

_NAMESPACE = UUID("6f1b3c52-9d5e-5c1a-8a53-2f0f5a3f8f11").bytes


def derive(*parts: object) -> UUID:
    """The UUIDv5 of a natural key; the same parts always give the same id."""
    return named(_NAMESPACE, "\x1f".join(map(str, parts)).encode())


def random_id() -> UUID:
    """An id that nobody can guess or derive; for leases and sessions, never for effects."""
    return uuid.uuid4()  # noqa: TID251 - the one place for random ids


def random_token(nbytes: int = 32) -> str:
    """A URL-safe secret of `nbytes` random bytes."""
    return secrets.token_urlsafe(nbytes)
