"""Webhooks: signed, bounded, taken once, sealed before anything leaves the transaction."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.contracts.model import Person
from shared.contracts.touchpoints import Touchpoint
from shared.security.signatures import WebhookSecret, sign_standard, sign_zendesk
from tests.support.trigger import GENERIC, OLDER, ZENDESK, Site

ORDER: dict[str, Any] = {
    "type": "order.delivered",
    "data": {
        "occurred_at": "2026-03-03T08:00:00Z",
        "contact": {"id": "c1", "email": "anna@kund.example", "name": "Anna Berg"},
        "account": {"id": "a1", "name": "Acme"},
        "subject": {"kind": "order", "id": "o1"},
    },
}


@pytest.fixture
def site(blank_site: Site) -> Site:
    return blank_site


async def post(
    site: Site,
    body: dict[str, Any] | bytes,
    *,
    message: str = "m1",
    secret: WebhookSecret = GENERIC,
) -> httpx.Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = sign_standard(message, site.machine.wall(), raw, secret)
    async with site.client() as client:
        return await client.post("/webhooks/generic", content=raw, headers=headers)


async def zendesk(site: Site, body: dict[str, Any], invocation: str = "i1") -> httpx.Response:
    raw = json.dumps(body).encode()
    headers = sign_zendesk(ZENDESK, site.machine.wall(), raw) | {
        "X-Zendesk-Webhook-Invocation-Id": invocation
    }
    async with site.client() as client:
        return await client.post("/webhooks/zendesk", content=raw, headers=headers)


@pytest.mark.requirement("R54")
async def test_a_signed_touchpoint_is_taken_with_its_person_sealed(site: Site) -> None:
    answer = await post(site, ORDER)
    assert (answer.status_code, answer.json()["status"]) == (200, "accepted")
    (told,) = await site.world.said(Touchpoint)
    (person,) = told.people
    assert (person.id, person.email, person.name) == ("c1", "", "")
    async with site.world.db.read() as conn:
        raw = await conn.fetchval("select string_agg(encode(value, 'escape') || headers, '') from outbox")
        (opened,) = await site.world.sealer.open(conn, [(UUID(person.ref), person.sealed)], Person)
    assert "anna" not in raw.lower()
    assert opened == Person(name="Anna Berg", email="anna@kund.example")


async def test_what_came_in_sealed_is_planned_like_what_came_by_kafka(site: Site) -> None:
    await post(site, ORDER)
    (told,) = await site.world.said(Touchpoint)
    await site.world.tell("order.delivered", **told.model_dump())
    await site.world.tell("order.delivered", **ORDER["data"])
    assert (await site.world.books()).planned == 1


async def test_repeats_are_answered_and_not_taken(site: Site) -> None:
    await post(site, ORDER)
    again = await post(site, ORDER)
    assert again.json()["status"] == "duplicate"
    other = await post(site, {**ORDER, "type": "order.shipped"})
    assert (other.status_code, other.json()) == (200, {"status": "conflict"})
    assert len(await site.world.said(Touchpoint)) == 1


async def test_an_older_secret_still_counts(site: Site) -> None:
    assert (await post(site, ORDER, secret=OLDER)).status_code == 200


async def test_a_wrong_signature_is_refused(site: Site) -> None:
    wrong = WebhookSecret.standard("whsec_" + "d3Jvbmctc2VjcmV0LW9mLXRoZS10ZXN0cyEh")
    answer = await post(site, ORDER, secret=wrong)
    assert answer.status_code == 401
    async with site.client() as client:
        assert (await client.post("/webhooks/generic", content=b"{}")).status_code == 401
    assert await site.world.said(Touchpoint) == []


NOBODY = b'{"type": "a.b", "data": {"occurred_at": "2026-01-01T00:00:00Z"}}'
YESTERDAY = b'{"type": "a.b", "data": {"occurred_at": "yesterday", "product": "x"}}'
DEEP = b'{"type": "a.b", "data": ' + b"[" * 30 + b"]" * 30 + b"}"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param(b"{", "body", id="no JSON"),
        pytest.param(b"[]", "body", id="no object"),
        pytest.param(b'{"type": "a.b", "type": "a.c", "data": {}}', "body", id="a key twice"),
        pytest.param(DEEP, "body", id="too deep"),
        pytest.param(b'{"type": "a.b", "data": {"x": NaN}}', "body", id="NaN"),
        pytest.param(b"\xff\xfe", "body", id="no UTF-8"),
        pytest.param(b'{"type": "Nonsense", "data": {}}', "type", id="type"),
        pytest.param(b'{"type": "a.b"}', "data", id="no data"),
        pytest.param(YESTERDAY, "data", id="time"),
        pytest.param(NOBODY, "data", id="nobody"),
        pytest.param(
            b'{"type": "a.b", "data": {"occurred_at": "2026-01-01T00:00:00Z", "contact": {"ref": "x"}}}',
            "data.contact", id="a forged reference",
        ),
    ],
)  # fmt: skip
async def test_an_unreadable_body_is_refused_by_field(site: Site, body: bytes, field: str) -> None:
    answer = await post(site, body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(field)


async def test_a_large_body_is_refused(site: Site) -> None:
    answer = await post(site, b'{"type": "' + b"a" * (1024 * 1024) + b'"}')
    assert answer.status_code == 413


async def test_a_database_that_is_away_asks_to_come_again(site: Site) -> None:
    await site.world.db.close()
    answer = await post(site, ORDER)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


def status_changed(current: str, previous: str, event: str = "z1") -> dict[str, Any]:
    return {
        "type": "zen:event-type:ticket.status_changed",
        "id": event,
        "time": "2026-03-03T08:00:00.123456789Z",
        "event": {"current": current, "previous": previous},
        "detail": {"id": "5158", "requester_id": "42", "organization_id": "9"},
    }


@pytest.mark.requirement("R12")
async def test_zendesk_solved_is_a_resolved_ticket_and_reopening_calls_it_off(site: Site) -> None:
    await site.world.tell("contact.updated", contact={"id": "zendesk:42", "email": "anna@kund.example"})
    assert (await zendesk(site, status_changed("SOLVED", "OPEN"))).json()["status"] == "accepted"
    assert (await zendesk(site, status_changed("SOLVED", "OPEN"))).json()["status"] == "duplicate"
    assert (await zendesk(site, status_changed("OPEN", "SOLVED", "z2"))).json()["status"] == "accepted"
    assert (await zendesk(site, status_changed("PENDING", "OPEN", "z3"))).json()["status"] == "ignored"
    solved, reopened = await site.world.said(Touchpoint)
    assert solved.subject.id == "5158"
    await site.world.tell("support_ticket.resolved", **solved.model_dump())
    assert (await site.world.books()).pending == 1
    await site.world.tell("support_ticket.reopened", **reopened.model_dump())
    assert (await site.world.books()).cancelled == 1


async def test_zendesk_trigger_form(site: Site) -> None:
    body = {
        "ticket": {
            "id": 77,
            "status": "Solved",
            "updated_at_with_timestamp": "2026-03-03T08:00:00Z",
            "requester": {"email": "anna@kund.example", "name": "Anna"},
            "organization": {"name": "Acme", "external_id": "a1"},
            "assignee": {"name": "Sven"},
        }
    }
    assert (await zendesk(site, body)).json()["status"] == "accepted"
    assert (await zendesk(site, body, "i2")).json()["status"] == "duplicate"
    (told,) = await site.world.said(Touchpoint)
    assert told.context == {"agent": "Sven"}
    assert told.account.id == "a1"


async def test_zendesk_other_events_are_ignored(site: Site) -> None:
    answer = await zendesk(site, {"type": "zen:event-type:ticket.created", "id": "1"})
    assert (answer.status_code, answer.json()["status"]) == (200, "ignored")
