"""Each partner as a sender: how it signs, by its official library where there is one, and what it sends."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

import httpx
import standardwebhooks
import stripe
from hubspot.utils.signature import Signature

from services.trigger.webhooks import PROVIDERS
from shared.runtime.clock import FakeMachine
from shared.security.tokens import Tokens
from tests.support.trigger import Secrets, Site, World, site_of
from tests.support.webhooks import (
    AFTERSHIP,
    FRESHDESK,
    HUBSPOT_RENEWAL,
    INTERCOM,
    JIRA,
    SEGMENT_TRACK,
    SHOPIFY_ORDER,
    STRIPE_UPCOMING,
)

URL = "http://127.0.0.1:8000/webhooks/"
OLD, NEW = "the-older-secret-of-two", "the-newer-secret-of-two"
STANDARD = {text: "whsec_" + base64.b64encode(text.encode() * 2).decode() for text in (OLD, NEW)}
GENERIC: dict[str, Any] = {
    "type": "order.delivered",
    "data": {"occurred_at": "2026-03-03T08:00:00Z", "contact": {"email": "anna@kund.example"}},
}
ZENDESK = {
    "type": "zen:event-type:ticket.status_changed", "id": "z1", "time": "2026-03-03T08:00:00.123456789Z",
    "event": {"current": "SOLVED", "previous": "OPEN"}, "detail": {"id": "5158", "requester_id": "42"},
}  # fmt: skip
Sign = Callable[[str, str, Site], dict[str, str]]


def mac(secret: str, body: str, how: str) -> bytes:
    return hmac.new(secret.encode(), body.encode(), how).digest()


def generic(secret: str, body: str, site: Site) -> dict[str, str]:
    at = site.machine.wall()
    signature = standardwebhooks.Webhook(STANDARD[secret]).sign("m1", at, body)
    stamp = str(int(at.timestamp()))
    return {"webhook-id": "m1", "webhook-timestamp": stamp, "webhook-signature": signature}


def zendesk(secret: str, body: str, site: Site) -> dict[str, str]:
    at = site.machine.wall().strftime("%Y-%m-%dT%H:%M:%SZ")
    made = base64.b64encode(mac(secret, at + body, "sha256")).decode()
    return {"X-Zendesk-Webhook-Signature": made, "X-Zendesk-Webhook-Signature-Timestamp": at}


def hubspot(secret: str, body: str, site: Site) -> dict[str, str]:
    stamp = str(int(site.machine.wall().timestamp() * 1000))
    made = Signature.get_signature(secret, body, "v3", URL + "hubspot", "POST", stamp)
    return {"X-HubSpot-Signature-v3": made, "X-HubSpot-Request-Timestamp": stamp}


def stripes(secret: str, body: str, site: Site) -> dict[str, str]:
    at = int(site.machine.wall().timestamp())
    return {"Stripe-Signature": stripe.WebhookSignature.generate_signature_header(body, secret, at)}


def intercom(secret: str, body: str, _site: Site) -> dict[str, str]:
    return {"X-Hub-Signature": "sha1=" + mac(secret, body, "sha1").hex()}


def jira(secret: str, body: str, _site: Site) -> dict[str, str]:
    return {"X-Hub-Signature": "sha256=" + mac(secret, body, "sha256").hex()}


def segment(secret: str, body: str, _site: Site) -> dict[str, str]:
    return {"X-Signature": mac(secret, body, "sha1").hex()}


def shopify(secret: str, body: str, _site: Site | None) -> dict[str, str]:
    made = base64.b64encode(mac(secret, body, "sha256")).decode()
    return {"X-Shopify-Hmac-Sha256": made, "X-Shopify-Topic": "orders/fulfilled"}


def aftership(secret: str, body: str, _site: Site) -> dict[str, str]:
    return {"aftership-hmac-sha256": base64.b64encode(mac(secret, body, "sha256")).decode()}


def freshdesk(secret: str, _body: str, _site: Site) -> dict[str, str]:
    return {"X-Afterword-Secret": secret}


SENDERS: dict[str, tuple[Sign, object]] = {
    "generic": (generic, GENERIC),
    "zendesk": (zendesk, ZENDESK),
    "hubspot": (hubspot, [HUBSPOT_RENEWAL]),
    "intercom": (intercom, INTERCOM),
    "freshdesk": (freshdesk, FRESHDESK),
    "jira": (jira, JIRA),
    "stripe": (stripes, STRIPE_UPCOMING),
    "segment": (segment, SEGMENT_TRACK),
    "shopify": (shopify, SHOPIFY_ORDER),
    "aftership": (aftership, AFTERSHIP),
}


THIN = {"zendesk"}
"""Who reports ids alone, for whom somebody has to be looked up."""


def secrets() -> Secrets:
    """Both secrets of every sender."""
    names = {"generic": STANDARD}
    return {p.name: [p.secret(names.get(p.name, {}).get(t, t)) for t in (OLD, NEW)] for p in PROVIDERS}


def signing_site(world: World, machine: FakeMachine, tokens: Tokens) -> Site:
    """A site that knows both secrets of every sender."""
    return site_of(world, machine, tokens, secrets())


async def send(
    site: Site, name: str, body: object, secret: str = NEW, *, padded_to: int = 0, topic: str = ""
) -> httpx.Response:
    """What a sender sends, signed, made as long as it shall be."""
    sign, _ = SENDERS[name]
    text = json.dumps(body).ljust(padded_to)
    signed = sign(secret, text, site) | ({"X-Shopify-Topic": topic} if topic else {})
    async with site.client() as client:
        return await client.post(f"/webhooks/{name}", content=text.encode(), headers=signed)
