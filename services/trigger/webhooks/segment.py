"""Segment: its webhook destination, and the tracking API that its libraries post to.

`track` is a touchpoint named after its event, `identify` is `contact.updated`, `group` is `account.updated`;
pages, screens and aliases are ignored, as are visitors that nobody knows by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.trigger.domain.reports import Gap, Named, Report, digest_of
from services.trigger.webhooks.body import MAX_ID, MAX_TEXT, BadBodyError, Node, read_object, touchpoint_of
from services.trigger.webhooks.contract import Ignored, Options, Provider, Reading, Rejected
from services.trigger.webhooks.generic import TYPE
from shared.contracts.touchpoints import Subject, TouchpointAccount, TouchpointContact
from shared.security import schemes
from shared.security.schemes import Call
from shared.security.signatures import Signed, WebhookSecret, mac_hex_sha1

SOURCE = "/webhooks/segment"
PER_ATTEMPT = frozenset({"sentAt", "receivedAt", "originalTimestamp", "writeKey", "_metadata"})
"""What says nothing of the call itself: times and counts of the attempt, and by which key it came."""

PAGES_NUMBER = re.compile(r"[A-Za-z0-9_:-]{1,64}")
"""An order's number and the like, as a page may give it: it stands in mails, so it is no text or address."""

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
class Browsers:
    """What pages in browsers may send; without `keys` nothing.

    Their key is public: whoever opens the page can read it and send with it from anywhere. So it reports no
    more than that one of `events` happened to somebody known.

    Attributes:
        keys: by which they are known; no server's.
        origins: of the pages, as `https://app.example`.
        events: types of touchpoints that they may report.
    """

    keys: tuple[WebhookSecret, ...] = ()
    origins: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Arrival:
    """How a call came in: when, when its sender says that it sent it, and what it may say."""

    at: datetime
    sent: Node = Node(None)  # noqa: RUF009 - it is frozen
    browsers: Browsers | None = None


def read(call: Call, _signed: Signed, _options: Options) -> Reading:
    """The touchpoint of one call.

    Raises:
        BadBodyError: It is none.
    """
    report = _one(read_object(call.body), _Arrival(call.at))
    return (report,) if report else Ignored("only track, identify and group of known users are of interest")


def batch(
    found: Node, at: datetime, default: str = "", *, browsers: Browsers | None = None
) -> list[Report | Rejected | None]:
    """The touchpoints of a request of Segment's libraries; None for a call that nobody asks about.

    Args:
        found: `{"batch": [...]}`, or one call.
        at: When it came in.
        default: The type of a single call, as its address says it.
        browsers: What it may say, when its key is public.

    Raises:
        BadBodyError: It is neither.
    """
    if default:
        calls: Iterable[Node] = [Node({"type": default, **found.value})]
    else:
        if found.at("batch").value is None:
            raise found.at("batch").wrong("missing; it holds the calls")
        calls = found.at("batch").items()
    arrival = _Arrival(at, found.at("sentAt"), browsers)
    return [_attempt(node, arrival) for node in calls]


def _one(node: Node, arrival: _Arrival) -> Report | None:
    """The touchpoint of one call; None when nobody asks about it.

    Raises:
        BadBodyError: It cannot be used.
    """
    readers = READERS if arrival.browsers is None else {"track": _by_page(arrival.browsers)}
    reader = readers.get(node.at("type").need())
    told = reader(node) if reader else None
    if told is None:
        return None
    kind, fields, gap = told
    given, said_at = node.at("messageId").text(MAX_ID), _said_at(node, arrival)
    digest = digest_of(node.value, PER_ATTEMPT)
    known_by = given or _made_id(node, digest, said_at)
    touchpoint = touchpoint_of(node, {"occurred_at": _occurred_at(said_at, arrival), **fields})
    own = None if given else ()
    return Report(known_by, digest, SOURCE, known_by, kind, touchpoint, gap, own=own)


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


def _said_at(node: Node, arrival: _Arrival) -> datetime | None:
    """When it happened; a caller that leaves that to Segment says when it sent the call, or nothing."""
    stamps = (*(node.at(name) for name in ("timestamp", "originalTimestamp", "sentAt")), arrival.sent)
    return next((stamp.instant() for stamp in stamps if stamp.value is not None), None)


def _made_id(node: Node, digest: str, said_at: datetime | None) -> str:
    """The id of a call that gives none: what it says, and when that was, so that a repeat has the same.

    Segment's own server makes up a new one each time, and takes what is delivered twice for two.

    Raises:
        BadBodyError: It says no time either: the same again would be the next time, or a repeat, who knows.
    """
    if said_at is None:
        raise node.at("messageId").wrong(
            "missing, and so is timestamp: give one of them, so that what is delivered twice counts once"
        )
    return f"content:{digest_of([digest, said_at.isoformat()])}"


def _occurred_at(said: datetime | None, arrival: _Arrival) -> datetime:
    """When it happened by a clock that can be trusted; a browser's is only good for how long ago it was."""
    if said is None:
        return arrival.at
    if arrival.browsers is None:
        return said
    sent = arrival.sent.instant() if arrival.sent.value is not None else said
    return min(arrival.at - (sent - said), arrival.at)


Told = tuple[str, dict[str, object], Gap | None]


def _attempt(node: Node, arrival: _Arrival) -> Report | Rejected | None:
    try:
        if not isinstance(node.value, dict):
            raise node.wrong("must be an object")
        return _one(node, arrival)
    except BadBodyError as error:
        return Rejected(str(error))


def _track(node: Node) -> Told | None:
    user, properties, kind = node.at("userId").text(MAX_ID), node.at("properties"), _kind(node)
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


def _kind(node: Node) -> str:
    kind = type_of(node.at("event").need())
    if not kind or len(kind) > MAX_ID or not TYPE.fullmatch(kind):
        raise node.at("event").wrong("must be a thing and what happened to it, for example Order Delivered")
    return kind


def _by_page(browsers: Browsers) -> Callable[[Node], Told | None]:
    """What a page may tell: that something happened to somebody whom others told of, about which number."""

    def track(node: Node) -> Told | None:
        kind, user, subject = _kind(node), node.at("userId").text(MAX_ID), _subject(node.at("properties"))
        if kind not in browsers.events:
            raise node.at("event").wrong(
                "pages may not report it; AFTERWORD_TRIGGER_SEGMENT_BROWSER_EVENTS names what they may"
            )
        if subject and not PAGES_NUMBER.fullmatch(subject.id):
            raise node.at("properties").wrong("a number that a page gives is of letters, digits, _ : and -")
        if not user:
            return None
        fields: dict[str, object] = {"contact": TouchpointContact(id=user), "subject": subject}
        return kind, fields, Gap("segment", Named.CONTACT, user)

    return track


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
