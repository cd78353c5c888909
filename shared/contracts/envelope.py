"""CloudEvents 1.0 over Kafka: binary mode out, binary and structured mode in.

Source: CloudEvents Kafka protocol binding 1.0.2. The official SDK reads what we write and the other way round
(`tests/contract/test_envelope.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from shared.contracts.model import Instant, Payload
from shared.contracts.registry import payload_of
from shared.errors import Undecodable
from shared.wrong import reason_of, zero_byte_in

T_co = TypeVar("T_co", bound=Payload, covariant=True)
Headers = tuple[tuple[str, bytes], ...]

LONGEST = 1024
"""Most characters of a context attribute."""

_STRUCTURED = b"application/cloudevents"
_instant: TypeAdapter[datetime] = TypeAdapter(Instant)
_OURS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00", re.ASCII)
"""How `isoformat` writes an instant of UTC."""


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


class Attributes(NamedTuple):
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


ZERO_BYTE = rb"\u0000"
"""How JSON spells the one character that Postgres does not take."""

Reader = Callable[[bytes], Any]
"""Reads the data of one event type; raises Undecodable."""


def decode(
    topic: str,
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes]],
    readers: Mapping[str, Reader] | None = None,
) -> Event[Any] | None:
    """Read one record.

    Args:
        topic: where it was read; everything on the topic of touchpoints is one.
        key: its partition key.
        value: its bytes.
        headers: its headers.
        readers: event type -> a consumer's own reader of the data, for one that needs only a part of them.

    Returns:
        The event, or None when its type is unknown here and the record is to be ignored.

    Raises:
        Undecodable: the record is not a CloudEvent, an attribute is missing or wrong, or the data break the
            model.
    """
    if value is None:
        return None
    attributes, data = read_attributes(value, headers)
    if ZERO_BYTE in data:
        _refuse_zero_byte(attributes.type, data)
    payload: Any
    reader = readers.get(attributes.type) if readers else None
    if reader is not None:
        payload = reader(data)
    else:
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


def _refuse_zero_byte(kind: str, data: bytes) -> None:
    """Name the text that no table can hold, before anybody stumbles over it."""
    with suppress(ValueError, RecursionError):
        path = zero_byte_in(json.loads(data))
        if path is not None:
            raise Undecodable(f"{kind}: {path or 'data'}: holds a zero byte")


def describe(error: ValidationError, under: str = "") -> str:
    """Say which fields are wrong and why, without the values (they may be personal).

    `under`: the path of the whole, where it is itself a part.
    """
    found = dict.fromkeys(_finding(e, under) for e in error.errors(include_input=False))
    return "; ".join(f"{path or 'data'}: {why}" for path, why in list(found)[:5])


def _finding(error: Mapping[str, Any], under: str) -> tuple[str, str]:
    """Path and reason; of a value that may be of several plain kinds and is of none, once for all of them."""
    *way, last = error["loc"] or ("",)
    if way and last in _PLAIN_KINDS:
        return ".".join(filter(None, (under, *map(str, way)))), "must be a text, a number, true or false"
    return ".".join(filter(None, (under, *map(str, error["loc"])))), reason_of(error)


def read_attributes(value: bytes, headers: Iterable[tuple[str, bytes]]) -> tuple[Attributes, bytes]:
    """The context attributes of a CloudEvent in either mode, and its data.

    Raises:
        Undecodable: the record is not a CloudEvent, or an attribute is missing or wrong.
    """
    given = dict(headers)
    if not given.keys() >= _REQUIRED:  # not as we write them: other cases of the names, or structured mode
        given = {name.lower(): content for name, content in given.items()}
    if given.get("content-type", b"").lower().startswith(_STRUCTURED):
        return _structured(value)
    if "ce_id" not in given and "ce_type" not in given:
        raise Undecodable(
            "headers: no ce_id and ce_type, and content-type is not application/cloudevents+json"
        )
    try:
        id_, source, type_, time, subject, trace = [given.get(name, b"").decode() for name in _HEADERS]
    except UnicodeDecodeError as error:
        raise Undecodable("headers: an attribute is not UTF-8") from error
    named = {"id": id_, "source": source, "type": type_, "time": time, "subject": subject}
    return _attributes(named, trace), value


class Named(NamedTuple):
    """What a record calls itself; "" where it does not say."""

    id: str = ""
    source: str = ""
    type: str = ""


def named_in(value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> Named:
    """Id, source and type of a record that cannot be read otherwise, as far as it says them."""
    given = {name.lower(): content for name, content in headers}
    told: Mapping[str, object] = {
        name: given.get(f"ce_{name}", b"").decode("utf-8", "replace") for name in Named._fields
    }
    if given.get("content-type", b"").lower().startswith(_STRUCTURED):
        with suppress(ValueError, RecursionError):
            whole = json.loads(value or b"")
            told = whole if isinstance(whole, dict) else {}
    texts = (told.get(name) for name in Named._fields)
    return Named(*(text.replace("\0", "")[:LONGEST] if isinstance(text, str) else "" for text in texts))


_PLAIN_KINDS = frozenset({"str", "int", "float", "bool"})
_REQUIRED = {"ce_id", "ce_source", "ce_type"}
_HEADERS = ("ce_id", "ce_source", "ce_type", "ce_time", "ce_subject", "traceparent")


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
    together = "".join(named.values())
    if len(together) > LONGEST or "\x00" in together:
        for name, text in named.items():
            if len(text) > LONGEST or "\x00" in text:
                raise Undecodable(f"{name}: longer than {LONGEST} characters or holds a NUL")
    time = _time(stamp) if (stamp := named.get("time")) else None
    return Attributes(named["id"], named["source"], named["type"], time, named.get("subject", ""), trace)


def _time(text: str) -> datetime:
    """An instant; as we write it for a quarter of what the model's way costs."""
    if _OURS.fullmatch(text):
        with suppress(ValueError):
            return datetime.fromisoformat(text)
    try:
        return _instant.validate_python(text)
    except ValidationError as error:
        raise Undecodable("time: not an RFC 3339 instant with a zone") from error


def _occurred(payload: Payload) -> datetime:
    for field in ("occurred_at", "at"):
        found = getattr(payload, field, None)
        if isinstance(found, datetime):
            return found
    raise Undecodable("time: missing CloudEvents attribute")
