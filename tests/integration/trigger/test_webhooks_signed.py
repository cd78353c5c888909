"""Every partner's signature, made by its official library where there is one, against our endpoints."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
import standardwebhooks
import stripe
from hubspot.utils.signature import Signature

from services.trigger.webhooks import PROVIDERS
from shared.contracts.model import Person
from shared.contracts.touchpoints import Touchpoint
from shared.runtime.clock import FakeMachine
from shared.security.sealing import Sealer
from shared.security.signatures import WebhookSecret, sign_zendesk
from shared.security.tokens import Tokens
from tests.support.trigger import Site, World, site_of
from tests.support.webhooks import (
    AFTERSHIP,
    FRESHDESK,
    HUBSPOT_RENEWAL,
    HUBSPOT_TICKET,
    INTERCOM,
    JIRA,
    SEGMENT_TRACK,
    SHOPIFY_ORDER,
    SHOPIFY_PARCEL,
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
    return sign_zendesk(WebhookSecret.plain(secret), site.machine.wall(), body.encode())


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


@pytest.fixture
def site(world: World, machine: FakeMachine, tokens: Tokens) -> Site:
    names = {"generic": STANDARD}
    secrets = {p.name: [p.secret(names.get(p.name, {}).get(t, t)) for t in (OLD, NEW)] for p in PROVIDERS}
    return site_of(world, machine, tokens, secrets)


async def send(site: Site, name: str, body: object, secret: str = NEW, **headers: str) -> httpx.Response:
    sign, _ = SENDERS[name]
    text = json.dumps(body)
    async with site.client() as client:
        return await client.post(
            f"/webhooks/{name}", content=text.encode(), headers=sign(secret, text, site) | headers
        )


def test_every_sender_is_tried() -> None:
    assert SENDERS.keys() == {provider.name for provider in PROVIDERS}


@pytest.mark.parametrize("name", SENDERS)
async def test_what_a_sender_signs_is_taken_once_with_either_secret(site: Site, name: str) -> None:
    body = SENDERS[name][1]
    first = await send(site, name, body)
    parks = name in THIN
    assert (first.status_code, first.json()) == (200, {"status": "parked" if parks else "accepted"})
    assert (await send(site, name, body, OLD)).json() == {"status": "duplicate"}
    assert len(await site.world.said(Touchpoint)) == (0 if parks else 1)


@pytest.mark.parametrize("name", SENDERS)
async def test_another_body_under_the_same_id_is_a_conflict_and_the_first_stands(
    site: Site, name: str
) -> None:
    body: Any = SENDERS[name][1]
    await send(site, name, body)
    other = [body[0] | {"new": 1}] if isinstance(body, list) else body | {"new": 1}
    assert (await send(site, name, other)).json() == {"status": "conflict"}
    assert len(await site.world.said(Touchpoint)) == (0 if name in THIN else 1)
    async with site.world.db.read() as conn:
        assert await conn.fetchval("select conflicts from webhooks") == 1


@pytest.mark.parametrize("name", SENDERS)
async def test_a_wrong_secret_and_a_changed_body_learn_nothing_more(site: Site, name: str) -> None:
    sign, body = SENDERS[name]
    signed = sign(NEW, json.dumps(body), site)
    wrong = {header: text[:-3] + "AAA" for header, text in signed.items() if header != "X-Shopify-Topic"}
    async with site.client() as client:
        answers = [
            await client.post(f"/webhooks/{name}", content=json.dumps(body).encode(), headers=headers)
            for headers in (wrong, {}, dict.fromkeys(signed, ""))
        ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert await site.world.said(Touchpoint) == []


TIMED = ["generic", "zendesk", "hubspot", "stripe"]


@pytest.mark.parametrize("name", TIMED)
@pytest.mark.parametrize("seconds", [301, -301])
async def test_an_old_or_future_signature_is_refused(site: Site, name: str, seconds: int) -> None:
    sign, body = SENDERS[name]
    text = json.dumps(body)
    site.machine.advance(1000)
    headers = sign(NEW, text, site)
    site.machine.advance(seconds)
    async with site.client() as client:
        answer = await client.post(f"/webhooks/{name}", content=text.encode(), headers=headers)
    assert answer.status_code == 401


async def test_hubspot_may_spell_the_address_decoded(site: Site) -> None:
    body = json.dumps([HUBSPOT_RENEWAL])
    stamp = str(int(site.machine.wall().timestamp() * 1000))
    made = Signature.get_signature(NEW, body, "v3", URL + "hubspot?team=a:b", "POST", stamp)
    headers = {"X-HubSpot-Signature-v3": made, "X-HubSpot-Request-Timestamp": stamp}
    async with site.client() as client:
        answer = await client.post("/webhooks/hubspot?team=a%3Ab", content=body.encode(), headers=headers)
    assert answer.status_code == 200


async def test_stripe_signs_with_two_secrets_while_one_is_rolled(site: Site) -> None:
    text = json.dumps(STRIPE_UPCOMING)
    unknown = stripes("a-secret-we-do-not-have", text, site)["Stripe-Signature"]
    known = stripes(OLD, text, site)["Stripe-Signature"].partition(",")[2]
    async with site.client() as client:
        headers = {"Stripe-Signature": f"{unknown},{known},v0=0"}
        answer = await client.post("/webhooks/stripe", content=text.encode(), headers=headers)
    assert answer.status_code == 200


async def test_freshdesk_may_send_its_secret_as_a_password(site: Site) -> None:
    async with site.client() as client:
        answer = await client.post("/webhooks/freshdesk", json=FRESHDESK, auth=("afterword", NEW))
    assert answer.json() == {"status": "accepted"}


async def test_a_list_is_taken_entry_by_entry(site: Site) -> None:
    await send(site, "hubspot", [HUBSPOT_RENEWAL])
    answer = await send(site, "hubspot", [HUBSPOT_RENEWAL, HUBSPOT_TICKET, HUBSPOT_TICKET])
    assert answer.json()["counts"]["duplicate"] == 2
    retry = [HUBSPOT_TICKET | {"attemptNumber": 1}]
    assert (await send(site, "hubspot", retry)).json() == {"status": "duplicate"}


async def test_a_delivery_is_completed_by_the_order_told_before(site: Site, sealer: Sealer) -> None:
    await send(site, "shopify", SHOPIFY_ORDER)
    topic = {"X-Shopify-Topic": "fulfillment_events/create"}
    await send(site, "shopify", SHOPIFY_PARCEL, **topic)
    (shipped,) = await site.world.said(Touchpoint)
    await site.world.tell("order.shipped", **shipped.model_dump())
    await site.world.due()
    _, delivered = await site.world.said(Touchpoint)
    assert delivered.subject == shipped.subject
    assert delivered.people[0].ref == shipped.people[0].ref


async def test_a_wrong_field_is_named_and_nothing_is_taken(site: Site) -> None:
    answer = await send(site, "hubspot", [HUBSPOT_RENEWAL, HUBSPOT_TICKET | {"occurredAt": "soon"}])
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("[1].occurredAt: ")
    assert answer.json()["field"] == "[1].occurredAt"
    assert await site.world.said(Touchpoint) == []


@pytest.mark.parametrize("name", ["jira", "segment"])
async def test_what_comes_in_is_sealed(site: Site, name: str) -> None:
    await send(site, name, SENDERS[name][1])
    (told,) = await site.world.said(Touchpoint)
    async with site.world.db.read() as conn:
        raw = await conn.fetchval("select string_agg(encode(value, 'escape') || headers, '') from outbox")
        person = told.people[0]
        opened = await site.world.sealer.open(conn, [(UUID(person.ref), person.sealed)], Person)
    assert "anna" not in raw.lower()
    assert opened == [Person(name="Anna Berg", email="anna@kund.example")]


def test_the_digest_of_the_vector_is_as_shopify_documents() -> None:
    """Shopify documents base64 of the binary digest, not of its hex text."""
    made = base64.b64decode(shopify("s", "{}", None)["X-Shopify-Hmac-Sha256"])
    assert len(made) == hashlib.sha256().digest_size
