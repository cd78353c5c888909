"""Intercom: notifications about conversations and tickets.

A closed one is `support_ticket.resolved`, one that opens again `support_ticket.reopened`. The person's
address is in it when the person began the conversation; else only an id.
"""

from __future__ import annotations

from services.trigger.domain.reports import Gap, Named, Report, digest_of
from services.trigger.webhooks.body import MAX_ID, Node, read_object, touchpoint_of
from services.trigger.webhooks.contract import Ignored, Options, Provider, Reading
from services.trigger.webhooks.tickets import REOPENED, RESOLVED
from shared.contracts.touchpoints import Subject, TouchpointContact
from shared.security import schemes
from shared.security.schemes import Call
from shared.security.signatures import Signed, mac_hex_sha1

SOURCE = "/webhooks/intercom"
PER_ATTEMPT = frozenset({"delivery_attempts", "first_sent_at", "delivery_status", "delivered_at"})
CLOSES = frozenset({"conversation.admin.closed", "ticket.closed"})
OPENS = frozenset({"conversation.admin.opened"})
PEOPLE = frozenset({"user", "lead", "contact"})


def read(call: Call, _signed: Signed, _options: Options) -> Reading:
    """The touchpoint of a notification.

    Raises:
        BadBodyError: It is none, or names nobody.
    """
    found = read_object(call.body)
    item = found.at("data", "item")
    kind = _kind(found.at("topic").need(), item)
    if kind is None:
        return Ignored("only conversations and tickets that are closed or opened again are of interest")
    person, gap = _person(item)
    touchpoint = touchpoint_of(
        item,
        {
            "occurred_at": found.at("created_at").seconds(),
            "contact": person,
            "subject": Subject(kind="ticket", id=item.at("id").need()),
        },
    )
    event_id = found.at("id").need()
    digest = digest_of(found.value, PER_ATTEMPT)
    return (Report(event_id, digest, SOURCE, event_id, kind, touchpoint, gap),)


def _kind(topic: str, item: Node) -> str | None:
    if topic in CLOSES:
        return RESOLVED
    if topic in OPENS:
        return REOPENED
    if topic == "ticket.state.updated":
        return RESOLVED if item.at("ticket_state").text() == "resolved" else REOPENED
    return None


def _person(item: Node) -> tuple[TouchpointContact, Gap | None]:
    """Who it was about: with an address when they wrote first, else by the id that the company gave them."""
    author = item.at("source", "author")
    if author.at("type").text() in PEOPLE and author.at("email").text():
        return TouchpointContact(
            id=f"intercom:{author.at('id').need()}",
            email=author.at("email").text(),
            name=author.at("name").text(),
            role="requester",
        ), None
    people = item.at("contacts", "contacts").items()
    if not people:
        raise item.at("contacts", "contacts").wrong("missing, and the first author is no contact with e-mail")
    own = people[0].at("external_id").text(MAX_ID) or f"intercom:{people[0].at('id').need()}"
    return TouchpointContact(id=own, role="requester"), Gap("intercom", Named.CONTACT, own)


PROVIDER = Provider("intercom", schemes.over_body("X-Hub-Signature", mac_hex_sha1, "sha1="), read)
