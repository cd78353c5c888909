"""Records of others as reports of touchpoints, by the rules of `sources.yaml`. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from services.trigger.domain.reports import Missed, Report, Reported, digest_of
from services.trigger.sources import salesforce
from services.trigger.sources.definition import (
    AccountRule,
    EventRule,
    Expression,
    Format,
    PersonRule,
    SourceRule,
    Sources,
)
from services.trigger.webhooks.body import MAX_ID, BadBodyError, Node, read_body, touchpoint_of
from services.trigger.webhooks.generic import TYPE
from shared.bus.model import Record
from shared.contracts.envelope import Event, read_attributes
from shared.errors import Undecodable

SCHEMA_PREFIX = 5
"""Bytes before the JSON of a record that a schema registry knows: a zero and the schema's number."""
FIRST_MILLISECOND = 100_000_000_000
"""Numbers from here on are milliseconds since 1970, smaller ones seconds."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SourceDecoder:
    """What the consumer asks of each record of the topics in `sources.yaml`."""

    def __init__(self, sources: Sources) -> None:
        self.topics = sources.topics
        self._of = {topic: sources.of(topic) for topic in sources.topics}

    def __call__(self, record: Record) -> Event[Any] | None:
        """The record's event; None when it means nothing that anybody asks about.

        Raises:
            Undecodable: It cannot be read; the message begins with the source and the path.
        """
        source = self._of[record.topic]
        try:
            reports = read_record(source, record)
            missed = () if reports else missed_in(source, record)
        except BadBodyError as error:
            raise Undecodable(f"{source.name}: {error}") from error
        if not (reports or missed):
            return None
        at = reports[0].touchpoint.occurred_at if reports else missed[0].at
        data = Reported(reports=reports, missed=missed)
        return Event(place_of(record), source.route, Reported.TYPE, at, "", "", data)


def read_record(source: SourceRule, record: Record) -> tuple[Report, ...]:
    """What a record reports; nothing for a tombstone.

    Raises:
        BadBodyError: It cannot be read, or what it says breaks the contract.
        Undecodable: It is to be a CloudEvent and is none.
    """
    if record.value is None:
        return ()
    if source.format is Format.CLOUDEVENTS:
        return _cloud_event(source, record)
    body = read_body(_without_schema_id(record.value))
    if source.format is Format.SALESFORCE:
        return salesforce.read(body, source)
    return tuple(_mapped(source, body, record))


def missed_in(source: SourceRule, record: Record) -> tuple[Missed, ...]:
    """What a record says that we missed.

    Raises:
        BadBodyError: It cannot be read.
    """
    if record.value is None or source.format is not Format.SALESFORCE:
        return ()
    return salesforce.missed(read_body(_without_schema_id(record.value)), source)


def place_of(record: Record) -> str:
    """Where a record stands; with its time, so that a log that begins anew repeats no id."""
    return f"{record.topic}/{record.partition}/{record.offset}/{record.timestamp_ms}"


def _without_schema_id(value: bytes) -> bytes:
    return value[SCHEMA_PREFIX:] if value[:1] == b"\x00" else value


def _cloud_event(source: SourceRule, record: Record) -> tuple[Report, ...]:
    """A CloudEvent: by the rules if there are any, else its data are a touchpoint as they stand."""
    attributes, value = read_attributes(record.value or b"", record.headers)
    data = read_body(value)
    if source.events:
        whole = {
            "id": attributes.id,
            "source": attributes.source,
            "type": attributes.type,
            "time": attributes.time.isoformat() if attributes.time else None,
            "subject": attributes.subject,
            "data": data.value,
        }
        return tuple(_mapped(source, Node(whole), record, attributes.id, attributes.time))
    if not TYPE.fullmatch(attributes.type):
        return ()
    if not isinstance(data.value, dict):
        raise data.wrong("must be an object; it holds the touchpoint")
    given = {"occurred_at": attributes.time, **data.value}
    touchpoint = touchpoint_of(Node(None, "data"), given)
    own = f"{attributes.source}/{attributes.id}"[:MAX_ID]
    digest = digest_of(data.value)
    return (Report(own, digest, attributes.source, attributes.id, attributes.type, touchpoint),)


def _mapped(
    source: SourceRule, body: Node, record: Record, own: str = "", at: datetime | None = None
) -> Iterator[Report]:
    """One report for each rule that fits."""
    happened = at or _EPOCH + timedelta(milliseconds=record.timestamp_ms)
    for rule in source.events:
        if rule.when and not rule.when.search(body.value):
            continue
        fields = {"occurred_at": _instant(rule.occurred_at, body, happened), **_fields(rule, body)}
        touchpoint = touchpoint_of(Node(None, rule.type), fields)
        named = _text(rule.id, body, "id") or own or place_of(record)
        event_id = f"{rule.type}/{named}"[:MAX_ID]
        yield Report(event_id, digest_of(body.value), source.route, event_id, rule.type, touchpoint)


def _fields(rule: EventRule, body: Node) -> dict[str, object]:
    people = list(_people(rule.contact, body)) if rule.contact else []
    return {
        "contacts": people,
        "account": _account(rule.account, body) if rule.account else None,
        "subject": {"kind": rule.subject.kind, "id": _need(rule.subject.id, body, "subject.id")}
        if rule.subject
        else None,
        "product": _text(rule.product, body, "product"),
        "service_type": _text(rule.service_type, body, "service_type"),
        "renewal_on": _day(rule.renewal_on, body, "renewal_on"),
        "context": dict(_context(rule.context, body)),
    }


def _people(rule: PersonRule, body: Node) -> Iterator[dict[str, object]]:
    places = [body] if rule.each is None else Node(rule.each.search(body.value), "contact.each").items()
    for place in places:
        found: dict[str, object] = {
            name: _text(getattr(rule, name), place, f"contact.{name}")
            for name in ("id", "email", "phone", "name", "locale", "zone", "job_function", "role")
        }
        if found["id"] or found["email"] or found["phone"]:
            found["persona"] = rule.persona.search(place.value) if rule.persona else None
            found["consent"] = rule.consent.search(place.value) if rule.consent else None
            found["consent_at"] = rule.consent_at.search(place.value) if rule.consent_at else None
            yield found


def _account(rule: AccountRule, body: Node) -> dict[str, object] | None:
    found: dict[str, object] = {
        name: _text(getattr(rule, name), body, f"account.{name}")
        for name in ("id", "name", "industry", "size", "owner", "region", "phase")
    }
    found["tier"] = rule.tier.search(body.value) if rule.tier else None
    for name, amount in (
        ("annual_value", rule.annual_value),
        ("acquisition_cost", rule.acquisition_cost),
    ):
        found[name] = amount.search(body.value) if amount else None
    found["started_on"] = _day(rule.started_on, body, "account.started_on")
    return found if found["id"] else None


def _context(rules: Mapping[str, Expression], body: Node) -> Iterator[tuple[str, object]]:
    for name, expression in rules.items():
        found = expression.search(body.value)
        if found is not None:
            yield name, found if isinstance(found, str | int | float | bool) else json.dumps(found)


def _text(expression: Expression | None, body: Node, path: str) -> str:
    return Node(expression.search(body.value), path).text() if expression else ""


def _need(expression: Expression, body: Node, path: str) -> str:
    return Node(expression.search(body.value), path).need()


def _day(expression: Expression | None, body: Node, path: str) -> object:
    found = Node(expression.search(body.value), path) if expression else Node(None)
    return None if found.value is None else found.day()


def _instant(expression: Expression | None, body: Node, default: datetime) -> datetime:
    """When it happened: a time as text, or as a number of seconds or milliseconds."""
    if expression is None:
        return default
    found = Node(expression.search(body.value), "occurred_at")
    if isinstance(found.value, int | float):
        return found.seconds(0.001 if found.value >= FIRST_MILLISECOND else 1.0)
    return found.instant()
