"""Zendesk: ticket status events (thin: ids only) and the trigger form (rich: the template that we document).

A solved ticket is `support_ticket.resolved`, one that opens again `support_ticket.reopened`; everything else
is ignored.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from services.trigger.webhooks.body import BadBodyError, Ignored, Incoming, read_object, text_of
from shared.contracts.envelope import describe
from shared.contracts.touchpoints import Subject, Touchpoint, TouchpointAccount, TouchpointContact

SOURCE = "/webhooks/zendesk"
STATUS_CHANGED = "zen:event-type:ticket.status_changed"
RESOLVED, REOPENED = "support_ticket.resolved", "support_ticket.reopened"
SOLVED = frozenset({"SOLVED"})
WORKING = frozenset({"NEW", "OPEN", "PENDING", "HOLD"})
_NANOSECONDS = re.compile(r"(\.\d{6})\d+")


def read(body: bytes, invocation_id: str | None) -> Incoming | Ignored:
    """The touchpoint of a request in either form.

    Raises:
        BadBodyError: It is neither form, or lacks what both need.
    """
    found = read_object(body)
    if text_of(found, "type").startswith("zen:event-type:"):
        return _event(found)
    if isinstance(found.get("ticket"), dict):
        return _trigger(found, invocation_id)
    raise BadBodyError("body: neither a Zendesk event (type, detail) nor our trigger template (ticket)")


def _event(found: dict[str, Any]) -> Incoming | Ignored:
    """The event form."""
    if text_of(found, "type") != STATUS_CHANGED:
        return Ignored("only changes of a ticket's status are of interest")
    kind = _kind(text_of(found, "event", "current"), text_of(found, "event", "previous"))
    if kind is None:
        return Ignored("the ticket was neither solved nor reopened")
    ticket, requester = text_of(found, "detail", "id"), text_of(found, "detail", "requester_id")
    event_id = text_of(found, "id")
    if not ticket or not requester or not event_id:
        raise BadBodyError("id, detail.id, detail.requester_id: all three are needed")
    organisation = text_of(found, "detail", "organization_id")
    return _incoming(
        event_id,
        kind,
        {
            "occurred_at": _instant(text_of(found, "time"), "time"),
            "contact": TouchpointContact(id=f"zendesk:{requester}", role="requester"),
            "account": TouchpointAccount(id=f"zendesk:{organisation}") if organisation else None,
            "subject": Subject(kind="ticket", id=ticket),
        },
    )


def _trigger(found: dict[str, Any], invocation_id: str | None) -> Incoming | Ignored:
    """The trigger form; it has no event id of its own, so ticket, status and time of change identify it."""
    status = text_of(found, "ticket", "status").upper()
    kind = _kind(status, text_of(found, "ticket", "previous_status").upper() or "SOLVED")
    if kind is None:
        return Ignored("the ticket was neither solved nor reopened")
    ticket, email = text_of(found, "ticket", "id"), text_of(found, "ticket", "requester", "email")
    if not ticket or not email:
        raise BadBodyError("ticket.id, ticket.requester.email: both are needed")
    changed = text_of(found, "ticket", "updated_at_with_timestamp")
    company = text_of(found, "ticket", "organization", "external_id")
    agent = text_of(found, "ticket", "assignee", "name")
    event_id = f"{ticket}/{status}/{changed}" if changed else (invocation_id or "")
    if not event_id:
        raise BadBodyError("ticket.updated_at_with_timestamp: missing, and no invocation id in the headers")
    return _incoming(
        event_id,
        kind,
        {
            "occurred_at": _instant(changed, "ticket.updated_at_with_timestamp"),
            "contact": TouchpointContact(
                id=text_of(found, "ticket", "requester", "external_id"),
                email=email,
                name=text_of(found, "ticket", "requester", "name"),
                locale=text_of(found, "ticket", "requester", "language"),
                role="requester",
            ),
            "account": TouchpointAccount(id=company, name=text_of(found, "ticket", "organization", "name"))
            if company
            else None,
            "subject": Subject(kind="ticket", id=ticket),
            "context": {"agent": agent} if agent else {},
        },
    )


def _kind(current: str, previous: str) -> str | None:
    if current in SOLVED:
        return RESOLVED
    return REOPENED if current in WORKING and previous in SOLVED else None


def _incoming(event_id: str, kind: str, fields: dict[str, Any]) -> Incoming:
    try:
        return Incoming(SOURCE, event_id[:200], kind, Touchpoint.model_validate(fields))
    except ValidationError as error:
        raise BadBodyError(f"body: {describe(error)}") from error


def _instant(text: str, field: str) -> datetime:
    """Zendesk writes nanoseconds, which Python does not read."""
    try:
        at = datetime.fromisoformat(_NANOSECONDS.sub(r"\1", text))
    except ValueError as error:
        raise BadBodyError(f"{field}: not an ISO 8601 time") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
