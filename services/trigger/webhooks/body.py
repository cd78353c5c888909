"""Reading a signed body: bounded in size and depth, every key once, no surprises in numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from shared.contracts.touchpoints import Touchpoint

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 20


class BadBodyError(ValueError):
    """A body cannot be used; the message names the field and the reason, never a value."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A touchpoint as a sender reports it; `(source, id)` identifies the event."""

    source: str
    id: str
    type: str
    touchpoint: Touchpoint


@dataclass(frozen=True, slots=True)
class Ignored:
    """A request that is fine but says nothing that anybody asks about."""

    why: str


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object of bounded depth.

    Raises:
        BadBodyError: It is no JSON object, nests too deep, or holds a key twice.
    """
    if _deeper_than(body, MAX_DEPTH):
        raise BadBodyError(f"body: nested deeper than {MAX_DEPTH} levels")
    try:
        found = json.loads(body, object_pairs_hook=_once, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        if isinstance(error, BadBodyError):
            raise
        raise BadBodyError("body: not readable as JSON in UTF-8") from error
    if not isinstance(found, dict):
        raise BadBodyError("body: must be a JSON object")
    return found


def text_of(found: dict[str, Any], *path: str) -> str:
    """A text or number deep inside; "" when any part is missing."""
    value: Any = found
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _deeper_than(body: bytes, limit: int) -> bool:
    """Whether brackets outside of strings nest deeper, seen before any parser recurses."""
    depth, quoted, escaped = 0, False, False
    for byte in body:
        if quoted:
            quoted = escaped or byte != ord('"')
            escaped = not escaped and byte == ord("\\")
        elif byte == ord('"'):
            quoted = True
        elif byte in b"[{":
            depth += 1
            if depth > limit:
                return True
        elif byte in b"]}":
            depth -= 1
    return False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadBodyError("body: an object holds a key twice")
    return found


def _refuse_constant(name: str) -> None:
    raise BadBodyError(f"body: {name} is no JSON number")
