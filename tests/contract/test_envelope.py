"""CloudEvents over Kafka: the official SDK reads what we write, and we read what it writes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from shared.contracts.directory import ContextKind, ContextRecorded
from shared.contracts.envelope import Event, binary_headers, decode
from shared.contracts.topics import Topic
from shared.errors import Undecodable

AT = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
BODY = {"occurred_at": "2026-03-01T10:00:00Z", "contact": {"id": "c1", "email": "ana@example.test"}}


def sdk_event() -> CloudEvent:
    attributes = {"id": "1", "source": "/crm", "type": "order.delivered", "specversion": "1.0", "time": AT}
    return CloudEvent(attributes | {"datacontenttype": "application/json", "subject": "o1"}, BODY)


def sdk_key(_event: object) -> str:
    return "k"


def test_the_official_sdk_reads_our_binary_mode() -> None:
    payload = ContextRecorded(kind=ContextKind.USAGE, at=AT)
    event = Event("id-1", "/afterword/trigger", payload.TYPE, AT, "s", "key", payload, "00-trace")
    message = KafkaMessage(dict(binary_headers(event)), b"key", payload.model_dump_json().encode())
    read = from_kafka(message, JSONFormat(), CloudEvent)
    assert read.get_id() == "id-1"
    assert read.get_source() == "/afterword/trigger"
    assert read.get_type() == "context.recorded.v1"
    assert read.get_time() == AT
    data = read.get_data()
    assert isinstance(data, dict)
    assert data["kind"] == "usage"


@pytest.mark.parametrize("write", [to_binary, to_structured], ids=["binary", "structured"])
@pytest.mark.parametrize("case", [str.lower, str.title], ids=["lower-case headers", "title-case headers"])
def test_we_read_both_modes_of_the_official_sdk(
    write: Callable[..., KafkaMessage], case: Callable[[str], str]
) -> None:
    message = write(sdk_event(), JSONFormat(), key_mapper=sdk_key)
    headers = [(case(name), content) for name, content in message.headers.items()]
    event = decode(Topic.TOUCHPOINTS, b"k", message.value, headers)
    assert event is not None
    assert (event.id, event.source, event.type, event.time) == ("1", "/crm", "order.delivered", AT)
    assert event.data.contact.email == "ana@example.test"


def test_a_type_that_nobody_here_knows_is_ignored() -> None:
    headers = [("ce_id", b"1"), ("ce_source", b"/x"), ("ce_type", b"survey.requested.v9")]
    assert decode(Topic.SURVEYS, None, b"{}", headers) is None


def test_a_tombstone_is_ignored() -> None:
    assert decode(Topic.DIRECTORY, b"k", None, []) is None


def test_fields_that_a_consumer_does_not_know_pass() -> None:
    headers = [("ce_id", b"1"), ("ce_source", b"/x"), ("ce_type", b"order.delivered")]
    value = b'{"occurred_at": "2026-03-01T10:00:00Z", "product": "p", "colour": "red"}'
    event = decode(Topic.TOUCHPOINTS, None, value, headers)
    assert event is not None
    assert event.time == AT


@pytest.mark.parametrize(
    ("headers", "names"),
    [
        pytest.param([("ce_source", b"/x"), ("ce_type", b"t")], "id", id="no id"),
        pytest.param([("ce_id", b"1"), ("ce_type", b"t")], "source", id="no source"),
        pytest.param([("ce_id", b"1"), ("ce_source", b"/x"), ("ce_type", b"")], "type", id="no type"),
        pytest.param([], "headers", id="not an event"),
        pytest.param([("ce_id", b"\xff"), ("ce_source", b"/x"), ("ce_type", b"t")], "UTF-8", id="bad bytes"),
        pytest.param([("ce_id", b"a\0b"), ("ce_source", b"/x"), ("ce_type", b"t")], "id", id="NUL"),
        pytest.param([("ce_id", b"x" * 1025), ("ce_source", b"/x"), ("ce_type", b"t")], "id", id="too long"),
        pytest.param(
            [("ce_id", b"1"), ("ce_source", b"/x"), ("ce_type", b"t"), ("ce_time", b"2026-03-01T10:00:00")],
            "time",
            id="time without zone",
        ),
        pytest.param(
            [
                ("ce_id", b"1"),
                ("ce_source", b"/x"),
                ("ce_type", b"t"),
                ("ce_time", b"2026-02-30T10:00:00+00:00"),
            ],
            "time",
            id="a day that no month has",
        ),
    ],
)
def test_a_wrong_attribute_is_named(headers: list[tuple[str, bytes]], names: str) -> None:
    with pytest.raises(Undecodable, match=names):
        decode(Topic.TOUCHPOINTS, None, b'{"occurred_at": "2026-03-01T10:00:00Z", "product": "p"}', headers)


def test_an_error_never_repeats_the_values_of_an_event() -> None:
    headers = [("ce_id", b"1"), ("ce_source", b"/x"), ("ce_type", b"order.delivered")]
    with pytest.raises(Undecodable) as caught:
        decode(Topic.TOUCHPOINTS, None, b'{"occurred_at": "canary@example.test"}', headers)
    assert "canary" not in str(caught.value)
