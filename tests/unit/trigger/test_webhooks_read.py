"""What each partner's words come to: touchpoints, ids for repeats, and who is missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.trigger.domain.reports import Gap, Named, Report
from services.trigger.webhooks import PROVIDERS, segment
from services.trigger.webhooks.body import MAX_DEPTH, BadBodyError, Node, read_body
from services.trigger.webhooks.contract import Ignored, Options, Reading, Rejected
from services.trigger.webhooks.segment import Browsers
from shared.contracts.touchpoints import Subject, TouchpointContact
from shared.security.schemes import Call
from shared.security.signatures import Signed, WebhookSecret
from tests.support.webhooks import (
    AFTERSHIP,
    AT,
    FRESHDESK,
    HUBSPOT_RENEWAL,
    HUBSPOT_TICKET,
    INTERCOM,
    JIRA,
    SECOND,
    SEGMENT_TRACK,
    SHOPIFY_ORDER,
    SHOPIFY_PARCEL,
    STRIPE_CYCLE,
    STRIPE_UPCOMING,
    call,
    changed,
)

BY_NAME = {provider.name: provider for provider in PROVIDERS}
EIGHT = datetime(2026, 3, 3, 8, tzinfo=UTC)
HIDDEN = changed(JIRA, "issue.fields.reporter.emailAddress", ...)
SILENT = changed(
    INTERCOM, "data.item.source.author", {"type": "admin", "id": "1", "email": "us@nordlicht.example"}
)
GENERIC: dict[str, Any] = {
    "type": "order.delivered",
    "data": {"occurred_at": "2026-03-03T08:00:00Z", "product": "x"},
}
IDENTIFY = SEGMENT_TRACK | {
    "type": "identify",
    "traits": {"firstName": "Anna", "lastName": "Berg", "email": "a@kund.example", "title": "CTO"},
}
GROUP = SEGMENT_TRACK | {
    "type": "group",
    "groupId": "a7",
    "traits": {"name": "Kund AB", "industry": "print", "employees": 40},
}


def read(name: str, body: object, **headers: str) -> tuple[Report, ...]:
    found = reading(name, call(body, **headers))
    assert not isinstance(found, Ignored), found
    reports = tuple(one for one in found if isinstance(one, Report))
    assert len(reports) == len(found), found
    return reports


def reading(name: str, request: Call) -> Reading:
    return BY_NAME[name].read(request, Signed("m1", AT), Options())


def said(report: Report) -> tuple[str, str, str, str, str]:
    """Type, contact, e-mail, account and subject of a report."""
    told = report.touchpoint
    person = told.people[0] if told.people else None
    return (
        report.type,
        person.id if person else "",
        person.email if person else "",
        told.company.id if told.company else "",
        told.subject.id if told.subject else "",
    )


ANNA = "anna@kund.example"
READ = [
    pytest.param(
        "hubspot",
        [HUBSPOT_TICKET],
        {},
        ("support_ticket.resolved", "", "", "", "5512"),
        "hubspot:ticket:5512",
        id="hubspot closed",
    ),
    pytest.param(
        "hubspot",
        [HUBSPOT_TICKET | {"propertyValue": "2"}],
        {},
        ("support_ticket.reopened", "", "", "", "5512"),
        "hubspot:ticket:5512",
        id="hubspot working again",
    ),
    pytest.param(
        "hubspot",
        [HUBSPOT_RENEWAL],
        {},
        ("contract.renewal_date_set", "", "", "hubspot:77", "hubspot:company:77"),
        "",
        id="hubspot renewal of a company",
    ),
    pytest.param(
        "hubspot",
        [HUBSPOT_RENEWAL | {"subscriptionType": "deal.propertyChange", "propertyValue": "2026-10-01"}],
        {},
        ("contract.renewal_date_set", "", "", "", "hubspot:deal:77"),
        "hubspot:deal:77",
        id="hubspot renewal of a deal",
    ),
    pytest.param(
        "hubspot",
        [HUBSPOT_TICKET | {"subscriptionType": "contact.privacyDeletion", "propertyName": None}],
        {},
        ("contact.deleted", "hubspot:5512", "", "", ""),
        "",
        id="hubspot privacy",
    ),
    pytest.param(
        "hubspot",
        [
            HUBSPOT_TICKET
            | {
                "subscriptionType": "contact.merge",
                "primaryObjectId": 7,
                "mergedObjectIds": [8, 9],
                "newObjectId": 7,
            }
        ],
        {},
        ("contact.merged", "hubspot:7", "", "", ""),
        "",
        id="hubspot merge",
    ),
    pytest.param(
        "hubspot",
        [
            HUBSPOT_TICKET
            | {
                "subscriptionType": "company.merge",
                "primaryObjectId": 7,
                "mergedObjectIds": [8],
                "newObjectId": 9,
            }
        ],
        {},
        ("account.merged", "", "", "hubspot:7", ""),
        "",
        id="hubspot merge of companies",
    ),
    pytest.param(
        "intercom",
        INTERCOM,
        {},
        ("support_ticket.resolved", "intercom:6762f0dd", ANNA, "", "147"),
        "",
        id="intercom closed",
    ),
    pytest.param(
        "intercom",
        SILENT,
        {},
        ("support_ticket.resolved", "c1", "", "", "147"),
        "c1",
        id="intercom begun by an agent",
    ),
    pytest.param(
        "intercom",
        changed(SILENT, "data.item.contacts.contacts.0.external_id", None),
        {},
        ("support_ticket.resolved", "intercom:6762f0dd", "", "", "147"),
        "intercom:6762f0dd",
        id="intercom without own id",
    ),
    pytest.param(
        "intercom",
        INTERCOM | {"topic": "conversation.admin.opened"},
        {},
        ("support_ticket.reopened", "intercom:6762f0dd", ANNA, "", "147"),
        "",
        id="intercom opened",
    ),
    pytest.param(
        "freshdesk",
        FRESHDESK,
        {},
        ("support_ticket.resolved", "", ANNA, "freshdesk:Kund AB", "42"),
        "",
        id="freshdesk",
    ),
    pytest.param(
        "freshdesk",
        changed(FRESHDESK, "ticket.status", 2),
        {},
        ("support_ticket.reopened", "", ANNA, "freshdesk:Kund AB", "42"),
        "",
        id="freshdesk by number",
    ),
    pytest.param(
        "jira", JIRA, {}, ("support_ticket.resolved", "jira:5b10", ANNA, "", "HELP-7"), "", id="jira"
    ),
    pytest.param(
        "jira",
        HIDDEN,
        {},
        ("support_ticket.resolved", "jira:5b10", "", "", "HELP-7"),
        "jira:5b10",
        id="jira with hidden address",
    ),
    pytest.param(
        "jira",
        changed(JIRA, "changelog.items", [{"field": "status", "fromString": "Done", "toString": "Open"}]),
        {},
        ("support_ticket.reopened", "jira:5b10", ANNA, "", "HELP-7"),
        "",
        id="jira taken back",
    ),
    pytest.param(
        "stripe",
        STRIPE_UPCOMING,
        {},
        ("contract.renewal_date_set", "stripe:cus_9", ANNA, "a1", "sub_3"),
        "",
        id="stripe upcoming",
    ),
    pytest.param(
        "stripe",
        STRIPE_UPCOMING
        | {"type": "customer.subscription.deleted", "data": {"object": {"id": "sub_3", "customer": "cus_9"}}},
        {},
        ("contract.ended", "stripe:cus_9", "", "stripe:cus_9", "sub_3"),
        "",
        id="stripe ended",
    ),
    pytest.param(
        "stripe",
        STRIPE_UPCOMING
        | {
            "type": "customer.subscription.updated",
            "data": {"object": {"id": "sub_3", "customer": "cus_9", "cancel_at_period_end": True}},
        },
        {},
        ("contract.ended", "stripe:cus_9", "", "stripe:cus_9", "sub_3"),
        "",
        id="stripe cancelled",
    ),
    pytest.param(
        "stripe",
        STRIPE_UPCOMING
        | {
            "type": "invoice.paid",
            "data": {"object": {"id": "in_1", "customer": "cus_9", "billing_reason": "subscription_cycle"}},
        },
        {},
        ("billing_cycle.closed", "stripe:cus_9", "", "stripe:cus_9", "in_1"),
        "stripe:cus_9",
        id="stripe paid without address",
    ),
    pytest.param(
        "segment", SEGMENT_TRACK, {}, ("order.delivered", "c1", ANNA, "a1", "o1"), "", id="segment track"
    ),
    pytest.param(
        "segment",
        changed(SEGMENT_TRACK, "context.traits", ...),
        {},
        ("order.delivered", "c1", "", "a1", "o1"),
        "c1",
        id="segment track, id alone",
    ),
    pytest.param(
        "segment",
        IDENTIFY,
        {},
        ("contact.updated", "c1", "a@kund.example", "a1", ""),
        "",
        id="segment identify",
    ),
    pytest.param("segment", GROUP, {}, ("account.updated", "c1", "", "a7", ""), "", id="segment group"),
    pytest.param(
        "shopify",
        SHOPIFY_ORDER,
        {"X_Shopify_Topic": "orders/fulfilled"},
        ("order.shipped", "shopify:115310627314723954", ANNA, "shopify:5", "820982911946154508"),
        "",
        id="shopify fulfilled",
    ),
    pytest.param(
        "shopify",
        SHOPIFY_PARCEL,
        {"X_Shopify_Topic": "fulfillment_events/create"},
        ("order.delivered", "", "", "", "820982911946154508"),
        "shopify:order:820982911946154508",
        id="shopify delivered",
    ),
    pytest.param("aftership", AFTERSHIP, {}, ("order.delivered", "", ANNA, "", "o1"), "", id="aftership"),
    pytest.param(
        "aftership",
        changed(AFTERSHIP, "msg.emails", []),
        {},
        ("order.delivered", "", "", "", "o1"),
        "aftership:order:o1",
        id="aftership without address",
    ),
]


@pytest.mark.requirement("R54")
@pytest.mark.parametrize(("name", "body", "headers", "expected", "missing"), READ)
def test_what_a_partner_says(
    name: str, body: object, headers: dict[str, str], expected: tuple[str, ...], missing: str
) -> None:
    (report,) = read(name, body, **headers)
    assert said(report) == expected
    assert (report.gap.name if report.gap else "") == missing
    assert report.source == BY_NAME[name].route


@pytest.mark.requirement("R54", "R8")
def test_a_next_cycle_that_is_paid_at_stripe_renews_the_contract() -> None:
    paid, renewed = read("stripe", STRIPE_CYCLE)
    assert said(paid) == ("billing_cycle.closed", "stripe:cus_9", ANNA, "a1", "in_1")
    assert said(renewed) == ("contract.renewed", "stripe:cus_9", ANNA, "a1", "sub_3")
    assert (paid.id, renewed.id) == ("evt_1", "evt_1/renewed")
    assert paid.gap is None
    assert renewed.gap is None
    assert "evt_1" in renewed.names


def test_a_contract_is_renewed_when_its_cycle_begins_not_when_it_is_paid() -> None:
    _, renewed = read("stripe", STRIPE_CYCLE)
    assert renewed.touchpoint.occurred_at == EIGHT - timedelta(hours=1)
    _, undated = read("stripe", changed(STRIPE_CYCLE, "data.object.period_end", ...))
    assert undated.touchpoint.occurred_at == EIGHT


def test_older_versions_of_stripe_name_the_contract_elsewhere() -> None:
    older = changed(changed(STRIPE_CYCLE, "data.object.parent", ...), "data.object.subscription", "sub_4")
    _, renewed = read("stripe", older)
    assert said(renewed)[-1] == "sub_4"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            changed(STRIPE_CYCLE, "data.object.billing_reason", "subscription_create"), id="the first"
        ),
        pytest.param(changed(STRIPE_CYCLE, "data.object.total", 0), id="nothing to pay"),
        pytest.param(changed(STRIPE_CYCLE, "data.object.parent", ...), id="of no subscription"),
    ],
)
def test_other_cycles_of_stripe_renew_nothing(body: dict[str, Any]) -> None:
    assert [report.type for report in read("stripe", body)] == ["billing_cycle.closed"]


STAGE = HUBSPOT_RENEWAL | {"subscriptionType": "deal.propertyChange", "propertyName": "dealstage"}
STAGES = Options(hubspot_renewed_stages=frozenset({"won"}), hubspot_lost_stages=frozenset({"lost"}))


@pytest.mark.requirement("R54", "R8")
@pytest.mark.parametrize(("stage", "kind"), [("won", "contract.renewed"), ("lost", "contract.ended")])
def test_a_deal_of_hubspot_is_renewed_or_lost_by_its_stage(stage: str, kind: str) -> None:
    found = BY_NAME["hubspot"].read(call([STAGE | {"propertyValue": stage}]), Signed("m1", AT), STAGES)
    assert isinstance(found, tuple)
    (report,) = found
    assert isinstance(report, Report)
    assert said(report) == (kind, "", "", "", "hubspot:deal:77")
    assert report.gap == Gap("hubspot", Named.DEAL, "77")


@pytest.mark.parametrize(
    ("stage", "options"), [("talking", STAGES), ("won", Options())], ids=["another stage", "none is set"]
)
def test_other_stages_of_deals_say_nothing(stage: str, options: Options) -> None:
    found = BY_NAME["hubspot"].read(call([STAGE | {"propertyValue": stage}]), Signed("m1", AT), options)
    assert isinstance(found, Ignored)


def test_times_and_details_come_along() -> None:
    (renewal,) = read("stripe", STRIPE_UPCOMING)
    assert str(renewal.touchpoint.renewal_on) == "2026-04-02"
    assert renewal.touchpoint.account is not None
    assert renewal.touchpoint.account.name == "Kund AB"
    (deal,) = read("hubspot", [HUBSPOT_RENEWAL])
    assert str(deal.touchpoint.renewal_on) == "2026-10-01"
    assert deal.touchpoint.occurred_at == EIGHT
    (order,) = read("segment", SEGMENT_TRACK)
    assert order.touchpoint.context == {"order_id": "o1", "product": "press", "total": 12.5}
    assert order.touchpoint.people[0].zone == "Europe/Stockholm"
    (parcel,) = read("aftership", AFTERSHIP)
    assert parcel.touchpoint.occurred_at == datetime(2026, 3, 3, 7, tzinfo=UTC)
    (ticket,) = read("freshdesk", FRESHDESK)
    assert ticket.touchpoint.occurred_at == AT
    (moved,) = read("stripe", STRIPE_UPCOMING | {"type": "customer.subscription.updated", "data": {"object": {
        "id": "s", "customer": "c", "items": {"data": [{"current_period_end": SECOND}]}}}})  # fmt: skip
    assert str(moved.touchpoint.renewal_on) == "2026-03-03"


def test_whoever_orders_by_telephone_is_known_by_the_number() -> None:
    order = SHOPIFY_ORDER | {"email": None, "phone": "+46701234567"}
    (told,) = read("shopify", order, X_Shopify_Topic="orders/fulfilled")
    assert [(one.email, one.phone) for one in told.touchpoint.people] == [("", "+46701234567")]
    hidden = changed(order, "customer.phone", "+46701234567") | {"phone": None}
    assert read("shopify", hidden, X_Shopify_Topic="orders/fulfilled")[0].touchpoint == told.touchpoint


@pytest.mark.parametrize("name", ["freshdesk", "zendesk"])
def test_a_requester_without_an_address_is_told_by_the_own_id(name: str) -> None:
    person = {"id": "c1", "external_id": "c1", "email": "", "name": "Anna"}
    stamp = "2026-03-03T08:00:00Z"
    ticket = {"id": "1", "status": "Solved" if name == "zendesk" else "Resolved", "contact": person,
              "requester": person, "updated_at": stamp, "updated_at_with_timestamp": stamp}  # fmt: skip
    (told,) = read(name, {"ticket": ticket})
    assert [(one.id, one.email) for one in told.touchpoint.people] == [("c1", "")]


@pytest.mark.parametrize("told", ["2026-03-03T17:00:00", "2026-03-03", "2026-03-03 17:00", ""])
def test_an_hour_at_the_carrier_without_its_zone_is_no_instant(told: str) -> None:
    """In Tokyo it would lie nine hours in the future, and nobody would be asked."""
    (parcel,) = read("aftership", changed(AFTERSHIP, "msg.checkpoints.0.checkpoint_time", told))
    assert parcel.touchpoint.occurred_at == EIGHT
    (zoned,) = read(
        "aftership", changed(AFTERSHIP, "msg.checkpoints.0.checkpoint_time", "2026-03-03T16:00:00+0900")
    )
    assert zoned.touchpoint.occurred_at == datetime(2026, 3, 3, 7, tzinfo=UTC)


@pytest.mark.parametrize("stamp", ["originalTimestamp", "sentAt"])
def test_a_call_without_its_time_happened_when_it_was_sent(stamp: str) -> None:
    bare = {name: value for name, value in SEGMENT_TRACK.items() if name not in {"timestamp", "sentAt"}}
    (told,) = read("segment", bare | {stamp: "2026-03-03T08:00:00.000Z"})
    assert told.touchpoint.occurred_at == EIGHT


BARE = {
    name: value for name, value in SEGMENT_TRACK.items() if name not in {"messageId", "timestamp", "sentAt"}
}


def test_a_call_with_an_id_and_no_time_at_all_happened_when_it_came() -> None:
    (told,) = read("segment", BARE | {"messageId": "seg-1"})
    assert (told.id, told.touchpoint.occurred_at) == ("seg-1", AT)


@pytest.mark.parametrize("stamp", ["timestamp", "originalTimestamp", "sentAt"])
def test_a_call_without_an_id_is_known_by_what_it_says_and_when(stamp: str) -> None:
    def told(**more: object) -> Report:
        return read("segment", BARE | {stamp: "2026-03-03T08:00:00Z"} | more)[0]

    first = told()
    assert first.replay == first.id == told(writeKey="a-key-of-the-caller").id
    assert (told(_metadata={"retryCount": 3}).id, told().digest) == (first.id, first.digest)
    assert len({first.id, told(**{stamp: "2026-03-03T08:00:01Z"}).id, told(userId="c2").id}) == 3
    assert first.names == {"o1"}


def test_a_call_of_a_batch_may_leave_its_time_to_the_batch() -> None:
    body = {"sentAt": "2026-03-03T08:00:00Z", "batch": [BARE]}
    (told,), (again,) = (segment.batch(Node(body), AT) for _ in range(2))
    assert isinstance(told, Report)
    assert (told, told.touchpoint.occurred_at) == (again, EIGHT)


BROWSERS = Browsers(
    (WebhookSecret.plain("public"),), frozenset({"https://app.example"}), frozenset({"order.delivered"})
)


def of_page(**more: object) -> Report | Rejected | None:
    body = Node(SEGMENT_TRACK | more)
    return segment.batch(body, AT, "track", browsers=BROWSERS)[0]


def test_a_page_tells_no_more_than_that_something_happened_to_somebody() -> None:
    told = of_page(properties={"order_id": "o1", "product": "press", "renewal_on": "2026-09-01", "total": 5})
    assert isinstance(told, Report)
    assert told.touchpoint.contact == TouchpointContact(id="c1")
    assert told.touchpoint.subject == Subject(kind="order", id="o1")
    bare = told.touchpoint
    assert (bare.account, bare.product, bare.renewal_on, bare.context) == (None, "", None, {})
    assert told.gap == Gap("segment", Named.CONTACT, "c1")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"event": "Contact Deleted"}, "event: pages may not report it"),
        ({"properties": {"order_id": "see https://evil.example"}}, "properties: a number"),
        ({"properties": {"order_id": "evil.example"}}, "properties: a number"),
    ],
)
def test_a_page_reports_what_it_may_and_no_words(more: dict[str, object], reason: str) -> None:
    told = of_page(**more)
    assert isinstance(told, Rejected)
    assert told.reason.startswith(reason)


@pytest.mark.parametrize("kind", ["identify", "group", "page", "alias"])
def test_a_page_changes_nobody(kind: str) -> None:
    assert of_page(type=kind) is None
    assert of_page(userId=None) is None


def test_the_clock_of_a_page_says_only_how_long_ago_it_was() -> None:
    ahead = of_page(timestamp="2031-01-01T08:00:00Z", sentAt="2031-01-01T08:10:00Z")
    back = of_page(timestamp="2031-01-01T08:10:00Z", sentAt="2031-01-01T08:00:00Z")
    assert isinstance(ahead, Report)
    assert isinstance(back, Report)
    assert (ahead.touchpoint.occurred_at, back.touchpoint.occurred_at) == (AT - timedelta(minutes=10), AT)


IGNORED = [
    pytest.param("hubspot", [HUBSPOT_TICKET | {"propertyName": "subject"}], {}, id="hubspot other property"),
    pytest.param("hubspot", [], {}, id="hubspot empty"),
    pytest.param("hubspot", [HUBSPOT_RENEWAL | {"propertyValue": ""}], {}, id="hubspot date taken away"),
    pytest.param("intercom", INTERCOM | {"topic": "ping"}, {}, id="intercom ping"),
    pytest.param(
        "freshdesk", changed(FRESHDESK, "ticket.status", "Waiting on Third Party"), {}, id="freshdesk waiting"
    ),
    pytest.param("jira", JIRA | {"webhookEvent": "jira:issue_created"}, {}, id="jira created"),
    pytest.param("jira", changed(JIRA, "changelog.items", [{"field": "summary"}]), {}, id="jira other field"),
    pytest.param("stripe", STRIPE_UPCOMING | {"type": "charge.refunded"}, {}, id="stripe refund"),
    pytest.param("segment", SEGMENT_TRACK | {"type": "page"}, {}, id="segment page"),
    pytest.param(
        "segment",
        changed(changed(SEGMENT_TRACK, "userId", None), "context.groupId", None),
        {},
        id="segment visitor",
    ),
    pytest.param("shopify", SHOPIFY_ORDER, {"X_Shopify_Topic": "orders/paid"}, id="shopify other topic"),
    pytest.param(
        "shopify",
        SHOPIFY_ORDER | {"email": "", "customer": None},
        {"X_Shopify_Topic": "orders/fulfilled"},
        id="shopify over the counter",
    ),
    pytest.param(
        "freshdesk", changed(FRESHDESK, "ticket.contact.email", ""), {}, id="freshdesk by telephone"
    ),
    pytest.param(
        "zendesk",
        {
            "ticket": {
                "id": "1",
                "status": "Solved",
                "updated_at_with_timestamp": "2026-03-03T08:00:00Z",
                "requester": {"email": "", "name": "Anna", "external_id": ""},
            }
        },
        {},
        id="zendesk by telephone",
    ),
    pytest.param(
        "shopify",
        SHOPIFY_PARCEL | {"status": "in_transit"},
        {"X_Shopify_Topic": "fulfillment_events/create"},
        id="shopify on its way",
    ),
    pytest.param("aftership", changed(AFTERSHIP, "msg.tag", "InTransit"), {}, id="aftership on its way"),
]


@pytest.mark.parametrize(("name", "body", "headers"), IGNORED)
def test_what_nobody_asks_about_is_ignored_with_a_reason(
    name: str, body: object, headers: dict[str, str]
) -> None:
    found = reading(name, call(body, **headers))
    assert isinstance(found, Ignored)
    assert found.why


WRONG = [
    pytest.param("hubspot", {"objectId": 1}, {}, "body: must be a list", id="hubspot no list"),
    pytest.param("hubspot", [{"objectId": 1}], {}, "[0].subscriptionType: missing", id="hubspot entry"),
    pytest.param(
        "hubspot",
        [HUBSPOT_TICKET | {"occurredAt": "soon"}],
        {},
        "[0].occurredAt: not a time",
        id="hubspot time",
    ),
    pytest.param("hubspot", [HUBSPOT_TICKET] * 101, {}, "body: more than 100", id="hubspot too many"),
    pytest.param(
        "intercom",
        changed(SILENT, "data.item.contacts", ...),
        {},
        "data.item.contacts.contacts: missing",
        id="intercom nobody",
    ),
    pytest.param(
        "intercom", changed(INTERCOM, "data.item.id", ...), {}, "data.item.id: missing", id="intercom no id"
    ),
    pytest.param(
        "freshdesk",
        changed(FRESHDESK, "ticket.contact.email", ...),
        {},
        "ticket.contact.email: missing",
        id="freshdesk nobody",
    ),
    pytest.param("freshdesk", {"ticket": "42"}, {}, "ticket: must be an object", id="freshdesk text"),
    pytest.param(
        "jira",
        changed(JIRA, "changelog.items", "all"),
        {},
        "changelog.items: must be a list",
        id="jira items",
    ),
    pytest.param(
        "jira",
        changed(JIRA, "issue.fields.reporter.accountId", ...),
        {},
        "issue.fields.reporter.accountId: missing",
        id="jira nobody",
    ),
    pytest.param(
        "stripe",
        changed(STRIPE_UPCOMING, "data.object.customer", {"id": 1}),
        {},
        "data.object.customer: must be a text",
        id="stripe expanded customer",
    ),
    pytest.param(
        "stripe",
        changed(STRIPE_UPCOMING, "created", True),
        {},
        "created: not a time in seconds",
        id="stripe time",
    ),
    pytest.param(
        "stripe", changed(STRIPE_UPCOMING, "created", 1e30), {}, "created: not a time", id="stripe far future"
    ),
    pytest.param(
        "segment", SEGMENT_TRACK | {"event": "Clicked"}, {}, "event: must be a thing", id="segment one word"
    ),
    pytest.param(
        "segment",
        changed(SEGMENT_TRACK, "timestamp", "yesterday"),
        {},
        "timestamp: not an ISO 8601 time",
        id="segment time",
    ),
    pytest.param(
        "shopify",
        changed(changed(SHOPIFY_ORDER, "email", ...), "customer", None),
        {"X_Shopify_Topic": "orders/fulfilled"},
        "email: missing",
        id="shopify nobody",
    ),
    pytest.param(
        "aftership",
        changed(AFTERSHIP, "msg.tracking_number", "\x00"),
        {},
        "msg.tracking_number: holds a NUL",
        id="aftership NUL",
    ),
    pytest.param(
        "aftership",
        changed(AFTERSHIP, "msg.order_id", "x" * 201),
        {},
        "msg.order_id: longer than 200",
        id="aftership long",
    ),
    pytest.param("generic", GENERIC | {"id": 1.5}, {}, "id: must be a text", id="generic id"),
    pytest.param("generic", GENERIC | {"data": [1]}, {}, "data: missing", id="generic data"),
]


@pytest.mark.parametrize(("name", "body", "headers", "reason"), WRONG)
def test_what_is_wrong_is_named_with_its_path(
    name: str, body: object, headers: dict[str, str], reason: str
) -> None:
    with pytest.raises(BadBodyError) as error:
        reading(name, call(body, **headers))
    assert str(error.value).startswith(reason)


@pytest.mark.parametrize(("name", "body", "headers"), [case.values[:3] for case in READ])
def test_unknown_fields_pass(name: str, body: Any, headers: dict[str, str]) -> None:
    more = [body[0] | {"new": {"x": [1]}}] if isinstance(body, list) else body | {"new": {"x": [1]}}
    (plain,), (richer,) = read(name, body, **headers), read(name, more, **headers)
    assert said(plain) == said(richer)


AGAIN = [
    pytest.param("hubspot", [HUBSPOT_TICKET], [HUBSPOT_TICKET | {"attemptNumber": 3}], id="hubspot"),
    pytest.param("intercom", INTERCOM, INTERCOM | {"delivery_attempts": 4}, id="intercom"),
    pytest.param("stripe", STRIPE_UPCOMING, STRIPE_UPCOMING | {"pending_webhooks": 0}, id="stripe"),
    pytest.param("segment", SEGMENT_TRACK, SEGMENT_TRACK | {"sentAt": "2026-03-03T09:00:00Z"}, id="segment"),
]


@pytest.mark.parametrize(("name", "first", "second"), AGAIN)
def test_another_attempt_says_the_same(name: str, first: object, second: object) -> None:
    (one,), (other,) = read(name, first), read(name, second)
    assert (one.replay, one.digest) == (other.replay, other.digest)


@pytest.mark.parametrize(("name", "body", "headers"), [case.values[:3] for case in READ])
def test_another_content_has_another_digest(name: str, body: Any, headers: dict[str, str]) -> None:
    more = [body[0] | {"new": 1}] if isinstance(body, list) else body | {"new": 1}
    assert read(name, body, **headers)[0].digest != read(name, more, **headers)[0].digest


def test_only_what_is_asked_about_is_taken_of_a_list() -> None:
    found = read("hubspot", [HUBSPOT_TICKET, HUBSPOT_TICKET | {"propertyName": "x"}, HUBSPOT_RENEWAL])
    assert [report.type for report in found] == ["support_ticket.resolved", "contract.renewal_date_set"]
    assert len({report.replay for report in found}) == 2


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("Order Delivered", "order.delivered"),
        ("orderDelivered", "order.delivered"),
        ("support_ticket.resolved", "support_ticket.resolved"),
        ("Support Ticket Resolved", "support_ticket.resolved"),
        ("User Signed Up", "customer.signed_up"),
        ("Billing Cycle Closed", "billing_cycle.closed"),
        ("Clicked", ""),
        ("♥ ♥", ""),
    ],
)
def test_names_of_events_become_types(event: str, kind: str) -> None:
    assert segment.type_of(event) == kind


def test_a_batch_names_what_it_cannot_use_and_takes_the_rest() -> None:
    body = b'{"batch": [{"type": "track"}, 5, {"type": "page"}, ' + call(SEGMENT_TRACK).body + b"]}"
    found = segment.batch(read_body(body), AT)
    assert found[:3] == [
        Rejected("batch[0].event: missing"),
        Rejected("batch[1]: must be an object"),
        None,
    ]
    assert isinstance(found[3], Report)


def test_a_body_nests_no_deeper_than_it_may() -> None:
    deepest = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    read_body(deepest)
    for body in (b"[" + deepest + b"]", b"[" * 100_000):
        with pytest.raises(BadBodyError, match="body: "):
            read_body(body)
