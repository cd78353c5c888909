"""A line of a history as the event that it tells: a CloudEvent, a row of an import, or a record of Kafka."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple, cast

from pydantic import Field, ValidationError

from services.trigger.domain.reports import Report
from services.trigger.sources.plain import read_plain
from services.trigger.sources.table import Kind, Problem, problem_of, report_of
from services.trigger.webhooks.body import BadBodyError
from shared.contracts.envelope import LONGEST, describe, read_attributes
from shared.contracts.model import Instant, Part
from shared.contracts.topics import Topic
from shared.contracts.touchpoints import Touchpoint
from shared.errors import Undecodable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STRUCTURED = (("content-type", b"application/cloudevents+json"),)
_Attribute = Annotated[str, Field(min_length=1, max_length=LONGEST)]
_MARK = b"\xef\xbb\xbf"


class Happening(NamedTuple):
    """One event of a history, `at` in UTC; source and id tell repeats apart.

    Of a plain event `told` is a struct with everything that a touchpoint has.
    """

    at: datetime
    line: int
    type: str
    source: str
    id: str
    told: Touchpoint


class _CloudEvent(Part):
    """A structured CloudEvent, read in one go; whatever it refuses is read again by the way that says why."""

    specversion: str
    id: _Attribute
    source: _Attribute
    type: _Attribute
    time: Instant | None = None
    data: Touchpoint


def read(number: int, line: bytes) -> Happening | None:
    """The event of a line; None for a record of another topic, and for a tombstone.

    Raises:
        BadBodyError: It is no usable row.
        Undecodable: It is no usable CloudEvent.
    """
    plain = read_plain(line)
    if plain is not None:
        one, said = plain
        at = said.occurred_at.astimezone(UTC)
        return Happening(at, number, one.type, one.source, one.id, cast("Touchpoint", said))
    try:
        event = _CloudEvent.model_validate_json(line)
    except ValidationError:
        return _read_closely(number, line)
    told = event.data
    at = told.occurred_at.astimezone(UTC)
    return Happening(at, number, event.type, event.source, event.id, told)


def _read_closely(number: int, line: bytes) -> Happening | None:
    """A line that is no plain CloudEvent.

    Raises:
        BadBodyError: It is no usable row.
        Undecodable: It is no usable CloudEvent.
    """
    try:
        found = json.loads(line.removeprefix(_MARK))
    except (ValueError, RecursionError) as error:
        raise BadBodyError("not readable as JSON in UTF-8") from error
    if not isinstance(found, dict):
        raise BadBodyError("must be a JSON object")
    if "headers" in found and ("payload" in found or "value" in found):
        return _of_record(number, found)
    if "specversion" in found:
        return _of_event(number, json.dumps(found).encode(), _STRUCTURED)
    return of_report(number, report_of(Kind.EVENTS, found, EPOCH))


def of_report(number: int, report: Report) -> Happening:
    """A row as an event of a history.

    Raises:
        BadBodyError: It refers to people as only our own events do.
    """
    if any(person.ref or person.sealed for person in report.touchpoint.people):
        raise BadBodyError("contact: ref and sealed are not for senders; give id, email, name")
    at = report.touchpoint.occurred_at.astimezone(UTC)
    return Happening(at, number, report.type, report.source, report.id, report.touchpoint)


def _of_record(number: int, record: Mapping[str, Any]) -> Happening | None:
    """A record of Kafka; None when it is of another topic, or a tombstone."""
    value = record.get("payload", record.get("value"))
    if value is None or record.get("topic", Topic.TOUCHPOINTS) != Topic.TOUCHPOINTS:
        return None
    text = value if isinstance(value, str) else json.dumps(value)
    return _of_event(number, text.encode(), _headers(record["headers"]))


def _of_event(number: int, value: bytes, headers: Iterable[tuple[str, bytes]]) -> Happening:
    attributes, data = read_attributes(value, headers)
    try:
        told = Touchpoint.model_validate_json(data)
    except ValidationError as error:
        raise Undecodable(f"data: {describe(error)}") from error
    at = told.occurred_at.astimezone(UTC)
    return Happening(at, number, attributes.type, attributes.source, attributes.id, told)


def _headers(told: object) -> list[tuple[str, bytes]]:
    """Headers as a mapping, as a list of names and values in turn, or as a list of pairs."""
    pairs: list[tuple[object, object]]
    match told:
        case dict():
            pairs = list(told.items())
        case [str(), *_]:
            pairs = list(zip(told[::2], told[1::2], strict=False))
        case list():
            pairs = [
                (one.get("key"), one.get("value")) if isinstance(one, dict) else tuple(one)[:2]
                for one in told
                if isinstance(one, dict) or (isinstance(one, list) and len(one) > 1)
            ]
        case _:
            raise BadBodyError("headers: must be an object or a list")
    return [(str(name), str(value).encode()) for name, value in pairs if value is not None]


def problem_in(line: int, error: BadBodyError | Undecodable) -> Problem:
    """What is wrong with a line, and in which column."""
    if isinstance(error, BadBodyError):
        found = problem_of(line, error)
        return found if found.reason else Problem(line, "", str(error))
    column, _, reason = str(error).partition(": ")
    return Problem(line, column if reason else "", reason or str(error))
