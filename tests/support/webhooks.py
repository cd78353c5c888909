"""Requests as the partners make them: real shapes, and calls as our endpoints see them."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

from shared.security.schemes import Call

AT = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
MS = 1772524800000  # 2026-03-03T08:00:00Z
SECOND = MS // 1000

HUBSPOT_TICKET: dict[str, Any] = {
    "eventId": 3816279340, "subscriptionId": 25, "portalId": 33, "appId": 1160452, "occurredAt": MS,
    "subscriptionType": "ticket.propertyChange", "attemptNumber": 0, "objectId": 5512,
    "changeSource": "CRM", "propertyName": "hs_pipeline_stage", "propertyValue": "4",
}  # fmt: skip
HUBSPOT_RENEWAL: dict[str, Any] = HUBSPOT_TICKET | {
    "eventId": 3816279341, "subscriptionType": "object.propertyChange", "objectTypeId": "0-2",
    "objectId": 77, "propertyName": "renewal_date", "propertyValue": "1790812800000",
}  # fmt: skip
INTERCOM: dict[str, Any] = {
    "type": "notification_event", "id": "notif_1", "topic": "conversation.admin.closed",
    "app_id": "a86dr8yl", "created_at": SECOND, "delivery_attempts": 1, "first_sent_at": SECOND,
    "data": {"type": "notification_event_data", "item": {
        "type": "conversation", "id": "147", "state": "closed",
        "source": {"type": "email", "author": {
            "type": "user", "id": "6762f0dd", "name": "Anna Berg", "email": "anna@kund.example"}},
        "contacts": {"type": "contact.list", "contacts": [{"id": "6762f0dd", "external_id": "c1"}]},
        "statistics": {"last_close_at": SECOND, "count_reopens": 0}}},
}  # fmt: skip
FRESHDESK: dict[str, Any] = {
    "ticket": {
        "id": "42", "status": "Resolved", "contact": {"name": "Anna Berg", "email": "anna@kund.example"},
        "company": {"name": "Kund AB"}, "agent": {"name": "Sven"}},
}  # fmt: skip
JIRA: dict[str, Any] = {
    "timestamp": MS, "webhookEvent": "jira:issue_updated", "issue_event_type_name": "issue_resolved",
    "issue": {"id": "10010", "key": "HELP-7", "fields": {
        "summary": "Printer", "status": {"name": "Done"}, "resolution": {"name": "Fixed"},
        "reporter": {"accountId": "5b10", "displayName": "Anna Berg", "emailAddress": "anna@kund.example"}}},
    "changelog": {"id": "10500", "items": [
        {"field": "resolution", "fieldId": "resolution", "fromString": None, "toString": "Fixed"},
        {"field": "status", "fieldId": "status", "fromString": "In Progress", "toString": "Done"}]},
}  # fmt: skip
STRIPE_UPCOMING: dict[str, Any] = {
    "id": "evt_1", "object": "event", "api_version": "2026-01-28", "created": SECOND, "livemode": True,
    "pending_webhooks": 1, "type": "invoice.upcoming", "data": {"object": {
        "object": "invoice", "customer": "cus_9", "customer_email": "anna@kund.example",
        "customer_name": "Kund AB", "next_payment_attempt": SECOND + 30 * 86400,
        "parent": {"type": "subscription_details", "subscription_details": {
            "subscription": "sub_3", "metadata": {"account_id": "a1"}}},
        "lines": {"data": [{"period": {"start": SECOND, "end": SECOND + 30 * 86400}}]}}},
}  # fmt: skip
STRIPE_CYCLE: dict[str, Any] = STRIPE_UPCOMING | {
    "type": "invoice.paid", "data": {"object": STRIPE_UPCOMING["data"]["object"] | {
        "id": "in_1", "billing_reason": "subscription_cycle", "total": 1200, "period_end": SECOND - 3600}},
}  # fmt: skip
SEGMENT_TRACK: dict[str, Any] = {
    "type": "track", "event": "Order Delivered", "messageId": "seg-1", "userId": "c1",
    "timestamp": "2026-03-03T08:00:00.000Z", "sentAt": "2026-03-03T08:00:01.000Z",
    "properties": {"order_id": "o1", "product": "press", "total": 12.5, "lines": [1]},
    "context": {"traits": {"email": "anna@kund.example", "name": "Anna Berg"}, "groupId": "a1",
                "locale": "sv-SE", "timezone": "Europe/Stockholm"},
}  # fmt: skip
SHOPIFY_ORDER: dict[str, Any] = {
    "id": 820982911946154508, "email": "anna@kund.example", "customer_locale": "sv",
    "updated_at": "2026-03-03T09:00:00+01:00", "name": "#1001",
    "customer": {"id": 115310627314723954, "first_name": "Anna", "last_name": "Berg"},
    "company": {"id": 5, "location_id": 6},
}  # fmt: skip
SHOPIFY_PARCEL: dict[str, Any] = {
    "id": 944, "fulfillment_id": 123456, "order_id": 820982911946154508, "status": "delivered",
    "happened_at": "2026-03-04T09:00:00+01:00", "shop_id": 548380009,
}  # fmt: skip
AFTERSHIP: dict[str, Any] = {
    "event": "tracking_update", "event_id": "0f3b", "is_tracking_first_tag": True, "ts": SECOND,
    "msg": {"id": "t1", "tracking_number": "SE123", "order_id": "o1", "tag": "Delivered",
            "emails": ["anna@kund.example"], "customer_name": "Anna Berg",
            "checkpoints": [{"tag": "Delivered", "checkpoint_time": "2026-03-03T08:00:00+01:00"}]},
}  # fmt: skip


def call(body: object, **headers: str) -> Call:
    """A request with a body and headers (underscores are hyphens)."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = tuple((name.replace("_", "-").lower().encode(), text.encode()) for name, text in headers.items())
    return Call("POST", "https://ask.example/webhooks/x", lines, raw, AT)


def changed(body: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy with another value at a dotted path; `...` takes the field away."""
    found = copy.deepcopy(body)
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    here: Any = found
    for step in way:
        here = here[step]
    if value is ...:
        del here[last]
    else:
        here[last] = value
    return found
