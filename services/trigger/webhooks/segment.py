"""Segment: its webhook destination, and the tracking API that its libraries post to.

`track` is a touchpoint named after its event, `identify` is `contact.updated`, `group` is `account.updated`;
pages, screens and aliases are ignored, as are visitors that nobody knows by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from services.trigger.domain.reports import Gap, Named, Report, digest_of
from services.trigger.webhooks.body import MAX_ID, MAX_TEXT, BadBodyError, Node, read_object, touchpoint_of
from services.trigger.webhooks.contract import Ignored, Options, Provider, Reading
from services.trigger.webhooks.generic import TYPE
from shared.contracts.touchpoints import Subject, TouchpointAccount, TouchpointContact
from shared.security import schemes
from shared.security.schemes import Call
from shared.security.signatures import Signed, mac_hex_sha1

SOURCE = "/webhooks/segment"
PER_ATTEMPT = frozenset({"sentAt", "receivedAt", "originalTimestamp"})
SUBJECTS = {
    "ticket_id": "ticket", "order_id": "order", "project_id": "project", "contract_id": "contract",
    "subscription_id": "contract", "claim_id": "claim", "incident_id": "incident", "feature_id": "feature",
}  # fmt: skip
USUAL = {
    "signed_up": "customer.signed_up",
    "user_signed_up": "customer.signed_up",
    "account_created": "customer.signed_up",
    "onboarding_completed": "customer.onboarded",
    "order_completed": "purchase.completed",
    "ticket_resolved": "support_ticket.resolved",
    "ticket_reopened": "support_ticket.reopened",
    "support_ticket_resolved": "support_ticket.resolved",
    "support_ticket_reopened": "support_ticket.reopened",
    "feature_used": "product.used",
}
"""Names that Segment's users give to what has another name here."""
_WORDS = re.compile(r"[a-z0-9]+")
_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Rejected:
    """One call of a batch that cannot be used, with the path in the reason."""

    reason: str


def read(call: Call, _signed: Signed, _options: Options) -> Reading:
    """The touchpoint of one call.

    Raises:
        BadBodyError: It is none.
    """
    found = read_object(call.body)
    report = one(found)
    return (report,) if report else Ignored("only track, identify and group of known users are of interest")


def batch(body: bytes, default: str = "") -> list[Report | Rejected | None]:
    """The touchpoints of a request of Segment's libraries; None for a call that nobody asks about.

    Args:
        body: `{"batch": [...]}`, or one call.
        default: The type of a single call, as its address says it.

    Raises:
        BadBodyError: It is neither.
    """
    found = read_object(body)
    if default:
        calls: Iterable[Node] = [Node({"type": default, **found.value})]
    else:
        if found.at("batch").value is None:
            raise found.at("batch").wrong("missing; it holds the calls")
        calls = found.at("batch").items()
    return [_attempt(node) for node in calls]


def one(node: Node) -> Report | None:
    """The touchpoint of one call; None when nobody asks about it.

    Raises:
        BadBodyError: It cannot be used.
    """
    reader = READERS.get(node.at("type").need())
    told = reader(node) if reader else None
    if told is None:
        return None
    kind, fields, gap = told
    message_id = node.at("messageId").need()
    touchpoint = touchpoint_of(node, {"occurred_at": _when(node).instant(), **fields})
    return Report(message_id, digest_of(node.value, PER_ATTEMPT), SOURCE, message_id, kind, touchpoint, gap)


def type_of(event: str) -> str:
    """The touchpoint type of an event's name: `Order Delivered` is order.delivered; "" when it has no words.

    The last word is what happened, all before it what it happened to.
    """
    if TYPE.fullmatch(event):
        return event
    words = _WORDS.findall(_BORDER.sub(" ", event).lower())
    usual = USUAL.get("_".join(words))
    if usual or len(words) < 2:  # noqa: PLR2004 - a thing and what happened to it
        return usual or ""
    return f"{'_'.join(words[:-1])}.{words[-1]}"


def _when(node: Node) -> Node:
    """When it happened; a caller that leaves that to Segment says when it sent the call, at least."""
    stamps = [node.at(name) for name in ("timestamp", "originalTimestamp", "sentAt")]
    return next((stamp for stamp in stamps if stamp.value is not None), stamps[0])


Told = tuple[str, dict[str, object], Gap | None]


def _attempt(node: Node) -> Report | Rejected | None:
    try:
        if not isinstance(node.value, dict):
            raise node.wrong("must be an object")
        return one(node)
    except BadBodyError as error:
        return Rejected(str(error))


def _track(node: Node) -> Told | None:
    user, properties = node.at("userId").text(MAX_ID), node.at("properties")
    kind = type_of(node.at("event").need())
    if not kind or len(kind) > MAX_ID or not TYPE.fullmatch(kind):
        raise node.at("event").wrong("must be a thing and what happened to it, for example Order Delivered")
    traits, group = node.at("context", "traits"), node.at("context", "groupId").text(MAX_ID)
    if not user and not group:
        return None
    person = _person(node, user, traits) if user else None
    renewal = properties.at("renewal_on")
    fields: dict[str, object] = {
        "contact": person,
        "account": TouchpointAccount(id=group) if group else None,
        "subject": _subject(properties),
        "product": properties.at("product").text(),
        "renewal_on": renewal.day() if renewal.text() else None,
        "context": _scalars(properties),
    }
    thin = person is not None and not person.email and not person.phone
    return kind, fields, Gap("segment", Named.CONTACT, user) if thin else None


def _identify(node: Node) -> Told | None:
    user = node.at("userId").text(MAX_ID)
    if not user:
        return None
    traits = node.at("traits")
    company = traits.at("company") if isinstance(traits.at("company").value, dict) else Node(None)
    account = company.at("id").text(MAX_ID) or node.at("context", "groupId").text(MAX_ID)
    fields: dict[str, object] = {
        "contact": _person(node, user, traits),
        "account": TouchpointAccount(id=account, name=company.at("name").text()) if account else None,
    }
    return "contact.updated", fields, None


def _group(node: Node) -> Told | None:
    """The company's traits; whoever was the user belongs to it."""
    traits, user = node.at("traits"), node.at("userId").text(MAX_ID)
    account = TouchpointAccount(
        id=node.at("groupId").need(),
        name=traits.at("name").text(),
        industry=traits.at("industry").text(),
        size=traits.at("employees").text(),
    )
    return (
        "account.updated",
        {"account": account, "contact": TouchpointContact(id=user) if user else None},
        None,
    )


READERS: Mapping[str, Callable[[Node], Told | None]] = {
    "track": _track,
    "identify": _identify,
    "group": _group,
}


def _person(node: Node, user: str, traits: Node) -> TouchpointContact:
    context = node.at("context")
    name = traits.at("name").text() or " ".join(
        part for part in (traits.at(field).text() for field in ("firstName", "lastName")) if part
    )
    return TouchpointContact(
        id=user,
        email=traits.at("email").text(),
        phone=traits.at("phone").text(),
        name=name[:MAX_TEXT],
        locale=context.at("locale").text(),
        zone=context.at("timezone").text(),
        job_function=traits.at("title").text(),
    )


def _subject(properties: Node) -> Subject | None:
    for field, kind in SUBJECTS.items():
        if found := properties.at(field).text(MAX_ID):
            return Subject(kind=kind, id=found)
    return None


def _scalars(properties: Node) -> dict[str, object]:
    """Properties that are plain values; the planner keeps as many as it needs."""
    found = properties.value if isinstance(properties.value, dict) else {}
    return {
        name: value[:MAX_TEXT] if isinstance(value, str) else value
        for name, value in found.items()
        if isinstance(value, str | int | float | bool)
    }


PROVIDER = Provider("segment", schemes.over_body("X-Signature", mac_hex_sha1), read)
