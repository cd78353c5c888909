"""Every partner's signature, made by its official library where there is one, against our endpoints."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from uuid import UUID

import pytest
from hubspot.utils.signature import Signature

from services.trigger.app import options_of
from services.trigger.settings import Settings
from services.trigger.webhooks import PROVIDERS
from shared.contracts.model import Person
from shared.contracts.touchpoints import Touchpoint
from shared.runtime.clock import FakeMachine
from shared.security.access import Scope
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.senders import NEW, OLD, SENDERS, THIN, URL, send, shopify, signing_site, stripes
from tests.support.trigger import Site, World
from tests.support.webhooks import (
    FRESHDESK,
    HUBSPOT_RENEWAL,
    HUBSPOT_TICKET,
    SHOPIFY_ORDER,
    SHOPIFY_PARCEL,
    STRIPE_CYCLE,
    STRIPE_UPCOMING,
)


@pytest.fixture
def site(world: World, machine: FakeMachine, tokens: Tokens) -> Site:
    return signing_site(world, machine, tokens)


def test_every_sender_is_tried() -> None:
    assert SENDERS.keys() == {provider.name for provider in PROVIDERS}


@pytest.mark.parametrize("name", SENDERS)
async def test_a_sender_that_looks_whether_the_address_is_there_finds_it(site: Site, name: str) -> None:
    async with site.client() as client:
        found, unknown = await client.head(f"/webhooks/{name}"), await client.head("/webhooks/nobody")
    assert (found.status_code, found.content, unknown.status_code) == (200, b"", 404)


@pytest.mark.parametrize("name", SENDERS)
async def test_what_a_sender_signs_is_taken_once_with_either_secret(site: Site, name: str) -> None:
    body = SENDERS[name][1]
    first = await send(site, name, body)
    parks = name in THIN
    assert (first.status_code, first.json()["status"]) == (200, "parked" if parks else "accepted")
    again = (await send(site, name, body, OLD)).json()
    assert again == {"status": "duplicate", "events": first.json()["events"]}
    assert len(await site.world.said(Touchpoint)) == (0 if parks else 1)


@pytest.mark.parametrize("name", SENDERS)
async def test_the_answer_names_the_event_by_which_one_finds_what_came_of_it(site: Site, name: str) -> None:
    (event,) = (await send(site, name, SENDERS[name][1])).json()["events"]
    async with site.world.db.read() as conn:
        waits = await conn.fetch("select event_id as told from parked")
        told = await conn.fetch("select headers as told from outbox")
    assert sum(event in row["told"] for row in (*waits, *told)) == 1


@pytest.mark.parametrize("name", SENDERS)
async def test_another_body_under_the_same_id_is_a_conflict_and_the_first_stands(
    site: Site, name: str
) -> None:
    body: Any = SENDERS[name][1]
    await send(site, name, body)
    other = [body[0] | {"new": 1}] if isinstance(body, list) else body | {"new": 1}
    assert (await send(site, name, other)).json()["status"] == "conflict"
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


@pytest.mark.requirement("R54", "R8")
async def test_a_paid_cycle_of_stripe_is_taken_once_as_all_that_it_says(site: Site) -> None:
    first = await send(site, "stripe", STRIPE_CYCLE)
    again = await send(site, "stripe", STRIPE_CYCLE | {"pending_webhooks": 0}, OLD)
    assert (first.json()["status"], again.json()["status"]) == ("accepted", "duplicate")
    told = [one.subject.id for one in await site.world.said(Touchpoint)]
    assert sorted(told) == ["in_1", "sub_3"]


def test_a_stage_of_hubspot_means_one_thing() -> None:
    told = options_of(Settings(hubspot_renewed_stages="won, kept", hubspot_lost_stages="lost"))
    assert (told.hubspot_renewed_stages, told.hubspot_lost_stages) == (
        frozenset({"won", "kept"}),
        frozenset({"lost"}),
    )
    with pytest.raises(ValueError, match="hubspot_lost_stages: kept stands in both"):
        options_of(Settings(hubspot_renewed_stages="won, kept", hubspot_lost_stages="kept"))


async def test_freshdesk_may_send_its_secret_as_a_password(site: Site) -> None:
    async with site.client() as client:
        answer = await client.post("/webhooks/freshdesk", json=FRESHDESK, auth=("afterword", NEW))
    assert answer.json()["status"] == "accepted"


async def test_a_list_is_taken_entry_by_entry(site: Site) -> None:
    await send(site, "hubspot", [HUBSPOT_RENEWAL])
    answer = await send(site, "hubspot", [HUBSPOT_RENEWAL, HUBSPOT_TICKET, HUBSPOT_TICKET])
    assert answer.json()["counts"]["duplicate"] == 2
    retry = [HUBSPOT_TICKET | {"attemptNumber": 1}]
    assert (await send(site, "hubspot", retry)).json()["status"] == "duplicate"


async def test_a_delivery_is_completed_by_the_order_told_before(site: Site, sealer: Sealer) -> None:
    await send(site, "shopify", SHOPIFY_ORDER)
    await send(site, "shopify", SHOPIFY_PARCEL, topic="fulfillment_events/create")
    (shipped,) = await site.world.said(Touchpoint)
    await site.world.tell("order.shipped", **shipped.model_dump())
    await site.world.due()
    _, delivered = await site.world.said(Touchpoint)
    assert delivered.subject == shipped.subject
    assert delivered.people[0].ref == shipped.people[0].ref


async def test_a_bad_entry_of_a_list_is_named_and_the_others_are_taken(site: Site) -> None:
    wrong = HUBSPOT_TICKET | {"occurredAt": "soon"}
    answer = await send(site, "hubspot", [wrong, HUBSPOT_RENEWAL])
    assert answer.status_code == 200, "HubSpot would send all of it again"
    assert answer.json()["status"] == "accepted"
    (rejected,) = answer.json()["rejected"]
    assert rejected.startswith("[0].occurredAt: ")
    assert len(await site.world.said(Touchpoint)) == 1
    again = (await send(site, "hubspot", [wrong, HUBSPOT_RENEWAL])).json()
    assert (again["status"], again["rejected"]) == ("duplicate", [rejected])
    of_no_interest = await send(site, "hubspot", [wrong, HUBSPOT_TICKET | {"propertyName": "subject"}])
    assert of_no_interest.json() == {"status": "ignored", "rejected": [rejected]}
    await site.write_down()
    async with await site.with_key(Scope.DECISIONS_READ) as client:
        (noted,) = (await client.get("/v1/decisions/left-out")).json()["refused"]
    assert (noted["sender"], noted["times"]) == ("hubspot", 3)
    assert noted["reason"].startswith("[].occurredAt: ")


async def test_a_list_of_which_nothing_can_be_used_is_refused_with_the_field(site: Site) -> None:
    answer = await send(site, "hubspot", [HUBSPOT_TICKET | {"occurredAt": "soon"}])
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("[0].occurredAt: ")
    assert answer.json()["field"] == "[0].occurredAt"
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
