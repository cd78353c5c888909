"""CloudEvents 1.0 over Kafka: binary mode out, binary and structured mode in.

Source: CloudEvents Kafka protocol binding 1.0.2. The official SDK reads what we write and the other way round
(`tests/contract/test_envelope.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from shared.contracts.model import Instant, Payload
from shared.contracts.registry import payload_of
from shared.errors import Undecodable

T_co = TypeVar("T_co", bound=Payload, covariant=True)
Headers = tuple[tuple[str, bytes], ...]

LONGEST = 1024
"""Most characters of a context attribute."""

_STRUCTURED = "application/cloudevents"
_instant: TypeAdapter[datetime] = TypeAdapter(Instant)


@dataclass(frozen=True, slots=True)
class Event(Generic[T_co]):
    """One event. `(source, id)` identifies it; `time` is business time; `key` orders it."""

    id: str
    source: str
    type: str
    time: datetime
    subject: str
    key: str
    data: T_co
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Attributes:
    """The context attributes of a CloudEvent before its data is read."""

    id: str
    source: str
    type: str
    time: datetime | None
    subject: str
    traceparent: str


def binary_headers(event: Event[Payload]) -> Headers:
    """Kafka headers of an event in binary mode."""
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": event.id,
        "ce_source": event.source,
        "ce_type": event.type,
        "ce_time": event.time.isoformat(),
        "ce_subject": event.subject,
        "ce_partitionkey": event.key,
        "content-type": "application/json",
        "traceparent": event.traceparent,
    }
    return tuple((name, value.encode()) for name, value in attributes.items() if value)


def decode(
    topic: str, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]
) -> Event[Any] | None:
    """Read one record.

    Returns:
        The event, or None when its type is unknown here and the record is to be ignored.

    Raises:
        Undecodable: the record is not a CloudEvent, an attribute is missing or wrong, or the data break the
            model.
    """
    if value is None:
        return None
    attributes, data = read_attributes(value, headers)
    model = payload_of(topic, attributes.type)
    if model is None:
        return None
    try:
        payload = model.model_validate_json(data)
    except ValidationError as error:
        raise Undecodable(f"{attributes.type}: {describe(error)}") from error
    return Event(
        id=attributes.id,
        source=attributes.source,
        type=attributes.type,
        time=attributes.time or _occurred(payload),
        subject=attributes.subject,
        key=key.decode("utf-8", "replace") if key else "",
        data=payload,
        traceparent=attributes.traceparent,
    )


def describe(error: ValidationError) -> str:
    """Say which fields are wrong and why, without the values (they may be personal)."""
    return "; ".join(
        f"{'.'.join(map(str, e['loc'])) or 'data'}: {e['msg']}" for e in error.errors(include_input=False)[:5]
    )


def read_attributes(value: bytes, headers: Iterable[tuple[str, bytes]]) -> tuple[Attributes, bytes]:
    """The context attributes of a CloudEvent in either mode, and its data.

    Raises:
        Undecodable: the record is not a CloudEvent, or an attribute is missing or wrong.
    """
    return _split(value, {name.lower(): content for name, content in headers})


def _split(value: bytes, headers: Mapping[str, bytes]) -> tuple[Attributes, bytes]:
    content_type = headers.get("content-type", b"").decode("ascii", "replace").lower()
    if content_type.startswith(_STRUCTURED):
        return _structured(value)
    if "ce_id" not in headers and "ce_type" not in headers:
        raise Undecodable(
            "headers: no ce_id and ce_type, and content-type is not application/cloudevents+json"
        )
    try:
        named = {name[3:]: content.decode() for name, content in headers.items() if name.startswith("ce_")}
        trace = headers.get("traceparent", b"").decode()
    except UnicodeDecodeError as error:
        raise Undecodable("headers: an attribute is not UTF-8") from error
    return _attributes(named, trace), value


def _structured(value: bytes) -> tuple[Attributes, bytes]:
    try:
        whole = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise Undecodable("value: not readable as JSON") from error
    if not isinstance(whole, dict):
        raise Undecodable("value: a structured CloudEvent must be a JSON object")
    if "data" not in whole:
        raise Undecodable("data: missing")
    named = {name: text for name, text in whole.items() if name != "data" and isinstance(text, str)}
    return _attributes(named, named.get("traceparent", "")), json.dumps(whole["data"]).encode()


def _attributes(named: Mapping[str, str], trace: str) -> Attributes:
    for required in ("id", "source", "type"):
        if not named.get(required):
            raise Undecodable(f"{required}: missing CloudEvents attribute")
    for name, text in named.items():
        if len(text) > LONGEST or "\x00" in text:
            raise Undecodable(f"{name}: longer than {LONGEST} characters or holds a NUL")
    try:
        time = _instant.validate_python(named["time"]) if named.get("time") else None
    except ValidationError as error:
        raise Undecodable("time: not an RFC 3339 instant with a zone") from error
    return Attributes(named["id"], named["source"], named["type"], time, named.get("subject", ""), trace)


def _occurred(payload: Payload) -> datetime:
    for field in ("occurred_at", "at"):
        found = getattr(payload, field, None)
        if isinstance(found, datetime):
            return found
    raise Undecodable("time: missing CloudEvents attribute")
