"""Who is signed in where the widget runs: a token that the customer's own backend signs (JWT, HS256)."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeAlias

MOST = timedelta(hours=24)
"""Longest life of a token that is taken: whoever finds an old one can do nothing with it."""

SKEW = timedelta(seconds=60)
MAX_CHARS = 2000
MAX_SUBJECT = 200


class Fault(StrEnum):
    """Why a token is not taken."""

    UNREADABLE = "it is no JSON web token signed with HS256"
    FORGED = "its signature is made with none of the widget's secrets"
    NO_EXPIRY = "it has no exp"
    EXPIRED = "it has expired"
    TOO_LONG = "it is valid for more than 24 hours; sign a new one for each session"
    NO_SUBJECT = "it has no sub, the id of the contact in your system"


@dataclass(frozen=True, slots=True)
class Signed:
    """A good token; `subject` is the contact's id in the customer's system."""

    subject: str


Token: TypeAlias = Signed | Fault


def read(token: str, secrets: Sequence[str], now: datetime) -> Token:
    """What a token says.

    Args:
        token: As it came.
        secrets: Any of them may have signed it, so that one can replace another.
        now: The machine's time, since another machine wrote `exp`.
    """
    parts = token.split(".") if len(token) <= MAX_CHARS and token.isascii() else []
    head, claims, mark = (_decode(part) for part in parts) if len(parts) == 3 else (b"", b"", b"")  # noqa: PLR2004 - head, claims, signature
    if _object(head).get("alg") != "HS256" or not mark:
        return Fault.UNREADABLE
    signed = token.rpartition(".")[0].encode()
    if not any(hmac.compare_digest(hmac.digest(one.encode(), signed, "sha256"), mark) for one in secrets):
        return Fault.FORGED
    return _claimed(_object(claims), now)


def _claimed(claims: dict[str, Any], now: datetime) -> Token:
    expires, subject = claims.get("exp"), claims.get("sub")
    if isinstance(expires, bool) or not isinstance(expires, int) or not 0 < expires < 1 << 33:
        return Fault.NO_EXPIRY
    left = datetime.fromtimestamp(expires, UTC) - now
    if left < -SKEW:
        return Fault.EXPIRED
    if left > MOST + SKEW:
        return Fault.TOO_LONG
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT:
        return Fault.NO_SUBJECT
    return Signed(subject)


def _decode(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
