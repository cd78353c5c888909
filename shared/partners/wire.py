"""How partners are addressed over HTTP, and how long they ask to be left alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

_LONGEST_NUMBER = 6


def wish(header: str, wall: datetime) -> timedelta | None:
    """How long Retry-After asks to wait, as seconds or as a date; None when it cannot be read."""
    given = header.strip()
    if given.isdecimal() and given.isascii():
        return timedelta(seconds=int(given)) if len(given) <= _LONGEST_NUMBER else None
    try:
        at = parsedate_to_datetime(given)
    except ValueError:
        return None
    return max(at.replace(tzinfo=at.tzinfo or UTC) - wall, timedelta())


def checked(url: str) -> str:
    """The address of a webhook, if it may be posted to.

    Raises:
        ValueError: it is not https; the message does not quote it.
    """
    parts = urlsplit(url)
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not parts.hostname or parts.username or parts.scheme not in {"https", "http"}:
        raise ValueError("the webhook must be an https address without a user name")
    if parts.scheme == "http" and not local:
        raise ValueError("the webhook must be https; http is taken for this machine alone")
    return url


def as_json(body: object) -> bytes:
    """A body as bytes, so that what is signed is what is sent."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
