"""Who is signed in where the widget runs: a token that the customer's own backend signs (JWT, HS256)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeAlias

import jwt
from jwt.types import Options

MOST = timedelta(hours=24)
"""Longest life of a token that is taken: whoever finds an old one can do nothing with it."""

SKEW = timedelta(seconds=60)
MAX_CHARS = 2000
MAX_SUBJECT = 200
MIN_SECRET_BYTES = 32

_ALGORITHM = "HS256"
_NO_CLOCK: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_sub": False,
}
_LATEST = 1 << 33
"""Seconds since 1970; a later time fits no calendar of ours."""


class Fault(StrEnum):
    """Why a token is not taken."""

    UNREADABLE = "it is no JSON web token signed with HS256"
    FORGED = "its signature is made with none of the widget's secrets"
    NO_EXPIRY = "it has no exp"
    TOO_EARLY = "its nbf or iat is no time, or in the future"
    EXPIRED = "it has expired"
    TOO_LONG = "it is valid for more than 24 hours; sign a new one for each session"
    NO_SUBJECT = "it has no sub, the id of the contact in your system"


@dataclass(frozen=True, slots=True)
class Signed:
    """A good token; `subject` is the contact's id in the customer's system."""

    subject: str


Token: TypeAlias = Signed | Fault


def sound(secrets: Sequence[str]) -> Sequence[str]:
    """Secrets that may sign tokens.

    Raises:
        ValueError: one is shorter than what it signs with (RFC 7518, section 3.2); it is not quoted.
    """
    for one in secrets:
        if len(one.encode()) < MIN_SECRET_BYTES:
            raise ValueError(
                f"AFTERWORD_COLLECTOR_WIDGET_SECRETS: a secret has at least {MIN_SECRET_BYTES} bytes, "
                f"one has {len(one.encode())}; make one with: openssl rand -base64 32"
            )
    return secrets


def read(token: str, secrets: Sequence[str], now: datetime) -> Token:
    """What a token says.

    Args:
        token: As it came.
        secrets: Any of them may have signed it, so that one can replace another.
        now: The machine's time, since another machine wrote `exp`.
    """
    if len(token) > MAX_CHARS:
        return Fault.UNREADABLE
    faults: list[Fault] = []
    for secret in secrets:
        claims = _claims(token, secret)
        if not isinstance(claims, Fault):
            return _claimed(claims, now)
        faults.append(claims)
    return Fault.UNREADABLE if Fault.UNREADABLE in faults else Fault.FORGED


def _claims(token: str, secret: str) -> dict[str, Any] | Fault:
    """The claims under a good signature; times are looked at later, by the clock that we are given."""
    try:
        claims: dict[str, Any] = jwt.decode(token, secret, [_ALGORITHM], options=_NO_CLOCK)
    except jwt.InvalidSignatureError:
        return Fault.FORGED
    except jwt.InvalidTokenError:
        return Fault.UNREADABLE
    return claims


def _claimed(claims: dict[str, Any], now: datetime) -> Token:
    expires, subject = _instant(claims.get("exp")), claims.get("sub")
    if expires is None:
        return Fault.NO_EXPIRY
    if expires < now - SKEW:
        return Fault.EXPIRED
    if expires > now + MOST + SKEW:
        return Fault.TOO_LONG
    if any(name in claims and not _is_past(claims[name], now) for name in ("nbf", "iat")):
        return Fault.TOO_EARLY
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT:
        return Fault.NO_SUBJECT
    return Signed(subject)


def _is_past(claim: object, now: datetime) -> bool:
    at = _instant(claim)
    return at is not None and at <= now + SKEW


def _instant(claim: object) -> datetime | None:
    """A NumericDate of RFC 7519, which may have a fraction; None for anything else."""
    if isinstance(claim, bool) or not isinstance(claim, int | float) or not 0 < claim < _LATEST:
        return None
    return datetime.fromtimestamp(claim, UTC)
