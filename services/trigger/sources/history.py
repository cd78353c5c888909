"""A file of historic events, a line each, read in order of time whatever its order is.

A line is a CloudEvent, a row as `afterword import events` takes it, or a record as tools write them who read
Kafka (`kcat -J`, consoles): headers beside a payload. The file is walked through twice: once for the times
alone, then line by line; it never lies in memory as a whole. It can be dealt out in shares, each a history of
its own.
"""

from __future__ import annotations

import json
import mmap
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
from pydantic import Field, ValidationError

from services.trigger.domain.backtest.apart import NOTHING, Groups, Heard, Words
from services.trigger.domain.reports import Report
from services.trigger.sources.table import Kind, Problem, problem_of, report_of
from services.trigger.webhooks.body import BadBodyError
from shared.contracts.envelope import LONGEST, describe, read_attributes
from shared.contracts.model import Instant, Part
from shared.contracts.topics import Topic
from shared.contracts.touchpoints import Touchpoint
from shared.errors import Undecodable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STRUCTURED = (("content-type", b"application/cloudevents+json"),)
_TIME = re.compile(rb'"occurred_at\\?"\s*:\s*\\?"([0-9T:.Z+\- ]{10,40})\\?"')
_MARK = b"\xef\xbb\xbf"
_Attribute = Annotated[str, Field(min_length=1, max_length=LONGEST)]


class Happening(NamedTuple):
    """One event of a history, `at` in UTC; source and id tell repeats apart."""

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


_readable = _CloudEvent.model_validate_json


class _Person(msgspec.Struct, gc=False):
    id: str = ""
    email: str = ""
    phone: str = ""
    ref: str = ""


class _Account(msgspec.Struct, gc=False):
    id: str


class _Subject(msgspec.Struct, gc=False):
    kind: str
    id: str


class _Named(msgspec.Struct, gc=False):
    """As much of the data as says what an event is tied to."""

    occurred_at: str
    contact: _Person | None = None
    contacts: tuple[_Person, ...] = ()
    account: _Account | None = None
    accounts: tuple[_Account, ...] = ()
    product: str = ""
    subject: _Subject | None = None
    renewal_on: str | None = None


class _Glance(msgspec.Struct, gc=False):
    """A structured CloudEvent, looked at once to find out when it happened and what it is tied to."""

    specversion: str
    id: str
    source: str
    type: str
    data: _Named


_glance = msgspec.json.Decoder(_Glance).decode


@dataclass(slots=True)
class History:
    """A file of events.

    Attributes:
        problems: lines that cannot be used.
        passed_over: records of other topics than that of touchpoints, and tombstones.
        repeated: events that were there before under the same source and id.
        alike: numbers of the lines that are in every share, where this is one; they count in the first.
    """

    file: Path
    problems: list[Problem] = field(default_factory=list)
    passed_over: int = 0
    repeated: int = 0
    alike: frozenset[int] = frozenset()
    first: bool = True
    _times: array[int] = field(default_factory=lambda: array("q"))
    _starts: array[int] = field(default_factory=lambda: array("Q"))
    _lines: array[int] = field(default_factory=lambda: array("Q"))
    _nodes: array[int] = field(default_factory=lambda: array("q"))

    def walk(self, progress: Callable[[int], None] = lambda _: None, groups: Groups | None = None) -> None:
        """Find out when each line happened, and what it is tied to where it is to be dealt out.

        `progress` is told the bytes that were read.
        """
        at = 0
        with self.file.open("rb") as raw:
            for number, line in enumerate(raw, 1):
                if line.strip():
                    self._enter(number, at, line, groups)
                at += len(line)
                if number % 5000 == 0:
                    progress(at)
        progress(at)

    @property
    def count(self) -> int:
        """How many lines there are to read."""
        return len(self._times)

    @property
    def ordered(self) -> bool:
        """Whether the lines stand in order of time."""
        return all(before <= after for before, after in pairwise(self._times))

    @property
    def begins(self) -> datetime | None:
        """When the first event happened."""
        return EPOCH + timedelta(microseconds=min(self._times)) if self._times else None

    @property
    def ends(self) -> datetime | None:
        """When the last event happened."""
        return EPOCH + timedelta(microseconds=max(self._times)) if self._times else None

    def happenings(self) -> Iterator[Happening]:
        """All usable events in order of time, each once; of the same time in the order of the file."""
        if not self._times:
            return
        known: set[int] = set()
        for number, line in self._read():
            try:
                found = _read(number, line)
            except (BadBodyError, Undecodable) as error:
                if self.counts(number):
                    self.problems.append(_problem(number, error))
                continue
            if found is None:
                self.passed_over += self.counts(number)
                continue
            name = hash((found.source, found.id))
            if name in known:
                self.repeated += self.counts(number)
                continue
            known.add(name)
            yield found

    @property
    def nodes(self) -> Sequence[int]:
        """What the lines are tied to, in the order of the file."""
        return self._nodes

    def counts(self, line: int) -> bool:
        """Whether a line counts here, as it does in one of the shares that have it."""
        return self.first or line not in self.alike

    def shares(self, share_of: Mapping[int, int], count: int) -> list[History]:
        """The lines dealt out by the nodes that they are tied to; those tied to nothing are in all shares.

        Problems, and what was passed over, stay with the whole.
        """
        shares = [History(self.file) for _ in range(count)]
        for place, node in enumerate(self._nodes):
            for share in shares if node == NOTHING else (shares[share_of[node]],):
                share._times.append(self._times[place])  # noqa: SLF001 - of the same class
                share._starts.append(self._starts[place])  # noqa: SLF001 - of the same class
                share._lines.append(self._lines[place])  # noqa: SLF001 - of the same class
        alike = frozenset(n for n, node in zip(self._lines, self._nodes, strict=True) if node == NOTHING)
        for number, share in enumerate(shares):
            share.alike, share.first = alike, not number
        return shares

    def _read(self) -> Iterator[tuple[int, bytes]]:
        places: Iterable[int] = range(len(self._times))
        if not self.ordered:
            places = sorted(places, key=self._times.__getitem__)
        with self.file.open("rb") as raw, mmap.mmap(raw.fileno(), 0, access=mmap.ACCESS_READ) as text:
            for place in places:
                text.seek(self._starts[place])
                yield self._lines[place], text.readline()

    def _enter(self, number: int, at: int, line: bytes, groups: Groups | None) -> None:
        heard = None if groups is None else _look_at(line)
        found = _time_of(line) if heard is None else heard.at
        if found is None or (groups is not None and heard is None):
            try:
                happening = _read(number, line)
            except (BadBodyError, Undecodable) as error:
                self.problems.append(_problem(number, error))
                return
            if happening is None:
                self.passed_over += 1
                return
            found = happening.at
            heard = None if groups is None else heard_in(happening)
        self._times.append(int(found.timestamp() * 1_000_000))
        self._starts.append(at)
        self._lines.append(number)
        if groups is not None and heard is not None:
            self._nodes.append(groups.join(heard))


def _time_of(line: bytes) -> datetime | None:
    """When a line happened, as far as that stands in it just once and with its zone."""
    told = _TIME.findall(line)
    return _instant(told[0].decode()) if len(told) == 1 else None


def _instant(text: str) -> datetime | None:
    with suppress(ValueError):
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else None
    return None


def _look_at(line: bytes) -> Heard | None:
    """What a plain CloudEvent is tied to; None for anything else, and for what may be broken."""
    try:
        event = _glance(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    told = event.data
    at = _instant(told.occurred_at)
    if at is None:
        return None
    return _heard(event, at, told)


def heard_in(one: Happening) -> Heard:
    """What an event is tied to."""
    return _heard(one, one.at, one.told)


def _heard(event: Happening | _Glance, at: datetime, told: Touchpoint | _Named) -> Heard:
    people = (told.contact, *told.contacts) if told.contact else told.contacts
    return Heard(
        event.type,
        event.source,
        event.id,
        at,
        [Words(one.id, one.email, one.phone, one.ref) for one in people],
        told.account.id if told.account else "",
        [one.id for one in told.accounts],
        told.product,
        (told.subject.kind, told.subject.id) if told.subject else ("", ""),
        dated=told.renewal_on is not None,
    )


def _read(number: int, line: bytes) -> Happening | None:
    try:
        event = _readable(line)
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


def _problem(line: int, error: BadBodyError | Undecodable) -> Problem:
    if isinstance(error, BadBodyError):
        found = problem_of(line, error)
        return found if found.reason else Problem(line, "", str(error))
    column, _, reason = str(error).partition(": ")
    return Problem(line, column if reason else "", reason or str(error))
