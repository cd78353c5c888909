"""Zendesk: ticket status events (thin: ids only) and the trigger form (rich: the template that we document).

A solved ticket is `support_ticket.resolved`, one that opens again `support_ticket.reopened`; everything else
is ignored.
"""

from __future__ import annotations

from services.trigger.domain.reports import Gap, Named, Report, digest_of
from services.trigger.webhooks.body import MAX_ID, BadBodyError, Node, read_object, touchpoint_of
from services.trigger.webhooks.contract import Ignored, Options, Provider, Reading
from services.trigger.webhooks.tickets import REOPENED, RESOLVED
from shared.contracts.touchpoints import Subject, TouchpointAccount, TouchpointContact
from shared.security import schemes
from shared.security.schemes import Call
from shared.security.signatures import Signed

SOURCE = "/webhooks/zendesk"
STATUS_CHANGED = "zen:event-type:ticket.status_changed"
SOLVED = frozenset({"SOLVED"})
WORKING = frozenset({"NEW", "OPEN", "PENDING", "HOLD"})
NOTHING = Ignored("the ticket was neither solved nor reopened")


def read(call: Call, _signed: Signed, _options: Options) -> Reading:
    """The touchpoint of a request in either form.

    Raises:
        BadBodyError: It is neither form, or lacks what both need.
    """
    found = read_object(call.body)
    if found.at("type").text().startswith("zen:event-type:"):
        return _event(found)
    if isinstance(found.at("ticket").value, dict):
        return _trigger(found)
    raise BadBodyError("body: neither a Zendesk event (type, detail) nor our trigger template (ticket)")


def _event(found: Node) -> Reading:
    """The event form."""
    if found.at("type").text() != STATUS_CHANGED:
        return Ignored("only changes of a ticket's status are of interest")
    kind = _kind(found.at("event", "current").text(), found.at("event", "previous").text())
    if kind is None:
        return NOTHING
    detail, event_id = found.at("detail"), found.at("id").need()
    requester = f"zendesk:{detail.at('requester_id').need()}"
    organisation = detail.at("organization_id").text(MAX_ID)
    touchpoint = touchpoint_of(
        found,
        {
            "occurred_at": found.at("time").instant(),
            "contact": TouchpointContact(id=requester, role="requester"),
            "account": TouchpointAccount(id=f"zendesk:{organisation}") if organisation else None,
            "subject": Subject(kind="ticket", id=detail.at("id").need()),
        },
    )
    gap = Gap("zendesk", Named.CONTACT, requester)
    return (Report(event_id, digest_of(found.value), SOURCE, event_id, kind, touchpoint, gap),)


def _trigger(found: Node) -> Reading:
    """The trigger form; it has no event id of its own, so ticket, status and time of change identify it."""
    ticket = found.at("ticket")
    status = ticket.at("status").need().upper()
    kind = _kind(status, ticket.at("previous_status").text().upper() or "SOLVED")
    if kind is None:
        return NOTHING
    number, changed = ticket.at("id").need(), ticket.at("updated_at_with_timestamp")
    requester, company = ticket.at("requester"), ticket.at("organization")
    account, agent = company.at("external_id").text(MAX_ID), ticket.at("assignee", "name").text()
    own, email = requester.at("external_id").text(MAX_ID), requester.at("email")
    if not own and email.value == "":
        return Ignored("the requester has no e-mail address, as who writes by telephone or chat")
    touchpoint = touchpoint_of(
        ticket,
        {
            "occurred_at": changed.instant(),
            "contact": TouchpointContact(
                id=own,
                email=email.text() if own else email.need(),
                name=requester.at("name").text(),
                locale=requester.at("language").text(),
                role="requester",
            ),
            "account": TouchpointAccount(id=account, name=company.at("name").text()) if account else None,
            "subject": Subject(kind="ticket", id=number),
            "context": {"agent": agent} if agent else {},
        },
    )
    event_id = f"{number}/{status}/{changed.text()}"[:MAX_ID]
    return (Report(event_id, digest_of(found.value), SOURCE, event_id, kind, touchpoint),)


def _kind(current: str, previous: str) -> str | None:
    if current in SOLVED:
        return RESOLVED
    return REOPENED if current in WORKING and previous in SOLVED else None


PROVIDER = Provider("zendesk", schemes.zendesk, read)
