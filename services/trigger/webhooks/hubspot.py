"""HubSpot: a list of changes, each with ids alone.

A ticket that moves to a closed stage is `support_ticket.resolved`, to any other `support_ticket.reopened`; a
renewal date on a deal or company is `contract.renewal_date_set`; a deal that moves to a stage of renewed or
of lost contracts is `contract.renewed` or `contract.ended`; merged contacts are `contact.merged`, merged
companies `account.merged`; a deletion for privacy is `contact.deleted`.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.trigger.domain.reports import Gap, Named, Report, digest_of
from services.trigger.webhooks.body import MAX_ID, BadBodyError, Node, read_body, touchpoint_of
from services.trigger.webhooks.contract import Ignored, Options, Provider, Reading, Rejected
from services.trigger.webhooks.tickets import REOPENED, RESOLVED
from shared.contracts.touchpoints import Subject, TouchpointAccount, TouchpointContact
from shared.security import schemes
from shared.security.schemes import Call
from shared.security.signatures import Signed

SOURCE = "/webhooks/hubspot"
MERGED, COMPANIES_MERGED = "contact.merged", "account.merged"
OBJECTS = {"0-1": "contact", "0-2": "company", "0-3": "deal", "0-5": "ticket"}
STAGE, DEAL_STAGE = "hs_pipeline_stage", "dealstage"
PER_ATTEMPT = frozenset({"attemptNumber"})
MOST = 100


@dataclass(frozen=True, slots=True)
class _Change:
    """One entry of the list: what was changed, and which property of it."""

    node: Node
    what: str
    how: str
    id: str
    property: str


def read(call: Call, _signed: Signed, options: Options) -> Reading:
    """The touchpoints of a request; entries that nobody asks about are left out.

    An entry that cannot be used is named, for HubSpot would send all of them again and again.

    Raises:
        BadBodyError: It is no list of changes, or none of them can be used.
    """
    entries = read_body(call.body).items()
    if len(entries) > MOST:
        raise BadBodyError(f"body: more than {MOST} events in one request")
    told = [_attempt(node, options) for node in entries]
    rejected = [one for one in told if isinstance(one, Rejected)]
    if rejected and len(rejected) == len(told):
        raise BadBodyError(rejected[0].reason)
    found = tuple(one for one in told if one)
    return found or Ignored(
        "no closed or reopened ticket, no renewal or its date, no merge, no deletion for privacy"
    )


def _attempt(node: Node, options: Options) -> Report | Rejected | None:
    try:
        return _report(_change(node), options)
    except BadBodyError as error:
        return Rejected(str(error))


def _change(node: Node) -> _Change:
    what, _, how = node.at("subscriptionType").need().partition(".")
    if what == "object":
        what = OBJECTS.get(node.at("objectTypeId").text(), "")
    return _Change(node, what, how, node.at("objectId").need(), node.at("propertyName").text())


def _report(change: _Change, options: Options) -> Report | None:
    match change.what, change.how:
        case "ticket", "propertyChange" if change.property == STAGE:
            return _ticket(change, options)
        case "deal", "propertyChange" if change.property == DEAL_STAGE:
            return _deal(change, options)
        case "deal" | "company", "propertyChange" if change.property in options.hubspot_renewal_properties:
            return _renewal(change)
        case "contact" | "company", "merge":
            return _merged(change)
        case "contact", "privacyDeletion":
            person = TouchpointContact(id=f"hubspot:{change.id}")
            return _told(change, "contact.deleted", {"contact": person})
        case _:
            return None


def _ticket(change: _Change, options: Options) -> Report:
    closed = change.node.at("propertyValue").need() in options.hubspot_closed_stages
    fields: dict[str, object] = {
        "contact": TouchpointContact(role="requester"),
        "subject": Subject(kind="ticket", id=change.id),
    }
    gap = Gap("hubspot", Named.TICKET, change.id)
    return _told(change, RESOLVED if closed else REOPENED, fields, gap)


def _deal(change: _Change, options: Options) -> Report | None:
    """A contract that was renewed or lost; other stages say nothing of that."""
    stage = change.node.at("propertyValue").text()
    if stage in options.hubspot_renewed_stages:
        kind = "contract.renewed"
    elif stage in options.hubspot_lost_stages:
        kind = "contract.ended"
    else:
        return None
    fields: dict[str, object] = {
        "subject": Subject(kind="contract", id=f"hubspot:{change.what}:{change.id}"),
        "contact": TouchpointContact(role="buyer"),
    }
    return _told(change, kind, fields, Gap("hubspot", Named.DEAL, change.id))


def _renewal(change: _Change) -> Report | None:
    if not change.node.at("propertyValue").text():
        return None
    fields: dict[str, object] = {
        "renewal_on": change.node.at("propertyValue").day(),
        "subject": Subject(kind="contract", id=f"hubspot:{change.what}:{change.id}"),
    }
    if change.what == "company":
        account = TouchpointAccount(id=f"hubspot:{change.id}")
        return _told(change, "contract.renewal_date_set", fields | {"account": account})
    gap = Gap("hubspot", Named.DEAL, change.id)
    fields |= {"contact": TouchpointContact(role="buyer")}
    return _told(change, "contract.renewal_date_set", fields, gap)


def _merged(change: _Change) -> Report:
    """Records of one person or company that HubSpot made one; the record that came of it may be new."""
    node = change.node
    stays = node.at("primaryObjectId").text(MAX_ID) or change.id
    others = [
        node.at("newObjectId").text(MAX_ID),
        *(one.text(MAX_ID) for one in node.at("mergedObjectIds").items()),
    ]
    ids = dict.fromkeys(one for one in (stays, *others) if one)
    if change.what == "company":
        companies = [TouchpointAccount(id=f"hubspot:{one}") for one in ids]
        return _told(change, COMPANIES_MERGED, {"accounts": companies})
    return _told(change, MERGED, {"contacts": [TouchpointContact(id=f"hubspot:{one}") for one in ids]})


def _told(change: _Change, kind: str, fields: dict[str, object], gap: Gap | None = None) -> Report:
    """HubSpot's event id alone may come twice, so subscription, object, property and time go with it."""
    node = change.node
    parts = (
        node.at("subscriptionId").text(MAX_ID),
        change.id,
        change.property or change.how,
        node.at("occurredAt").text(MAX_ID),
        node.at("eventId").text(MAX_ID),
    )
    touchpoint = touchpoint_of(node, {"occurred_at": node.at("occurredAt").seconds(0.001), **fields})
    event_id = "/".join(parts)[:MAX_ID]
    return Report(event_id, digest_of(node.value, PER_ATTEMPT), SOURCE, event_id, kind, touchpoint, gap)


PROVIDER = Provider("hubspot", schemes.hubspot_v3, read)
