"""Freshdesk and Freshservice: an automation rule that posts the template of `docs/webhooks.md`.

They sign nothing, so the rule sends a secret header. Resolved and closed are `support_ticket.resolved`, open
and pending `support_ticket.reopened`.
"""

from __future__ import annotations

from services.trigger.domain.reports import Report, digest_of
from services.trigger.webhooks.body import MAX_ID, read_object, touchpoint_of
from services.trigger.webhooks.contract import Ignored, Options, Provider, Reading
from services.trigger.webhooks.tickets import REOPENED, RESOLVED
from shared.contracts.touchpoints import Subject, TouchpointAccount, TouchpointContact
from shared.security import schemes
from shared.security.schemes import Call
from shared.security.signatures import Signed

SOURCE = "/webhooks/freshdesk"
KINDS = {
    **dict.fromkeys(("4", "5", "resolved", "closed"), RESOLVED),
    **dict.fromkeys(("2", "3", "open", "pending"), REOPENED),
}


def read(call: Call, _signed: Signed, _options: Options) -> Reading:
    """The touchpoint of a request.

    The template knows no time of the change, so it is the time of receipt; ticket, status and the minute tell
    repeats apart.

    Raises:
        BadBodyError: It is not our template.
    """
    found = read_object(call.body)
    ticket = found.at("ticket")
    status = ticket.at("status").need().lower()
    kind = KINDS.get(status)
    if kind is None:
        return Ignored("the ticket was neither resolved, closed nor reopened")
    number, person, company = ticket.at("id").need(), ticket.at("contact"), ticket.at("company")
    at = ticket.at("updated_at").instant() if ticket.at("updated_at").text() else call.at
    account = company.at("id").text(MAX_ID) or company.at("name").text(MAX_ID)
    agent, own, email = ticket.at("agent", "name").text(), person.at("id").text(MAX_ID), person.at("email")
    if not own and email.value == "":
        return Ignored("the requester has no e-mail address, as who writes by telephone or chat")
    touchpoint = touchpoint_of(
        ticket,
        {
            "occurred_at": at,
            "contact": TouchpointContact(
                id=own,
                email=email.text() if own else email.need(),
                name=person.at("name").text(),
                role="requester",
            ),
            "account": TouchpointAccount(id=f"freshdesk:{account}", name=company.at("name").text())
            if account
            else None,
            "subject": Subject(kind="ticket", id=number),
            "context": {"agent": agent} if agent else {},
        },
    )
    event_id = f"{number}/{status}/{at:%Y-%m-%dT%H:%M}"[:MAX_ID]
    return (Report(event_id, digest_of(found.value), SOURCE, event_id, kind, touchpoint),)


PROVIDER = Provider("freshdesk", schemes.shared_secret, read, schemes.shared_text)
