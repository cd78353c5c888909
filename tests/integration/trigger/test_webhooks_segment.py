"""Segment's own Python library posts to our `/v1/batch` over loopback."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr
from segment.analytics.client import Client

from services.trigger.app import browsers_of
from services.trigger.settings import Settings
from services.trigger.webhooks.segment import Browsers
from shared.contracts.model import Person
from shared.contracts.touchpoints import Touchpoint
from shared.runtime.clock import FakeMachine
from shared.security.schemes import shared_text
from shared.security.tokens import Tokens
from tests.support.serving import served
from tests.support.trigger import Site, World, site_of
from tests.support.webhooks import SEGMENT_TRACK

KEY = "write-key-of-the-tests"
AUTH = {"authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}


PUBLIC = "public-key-of-our-pages"
APP = "https://app.example"
BROWSERS = Browsers((shared_text(PUBLIC),), frozenset({APP}), frozenset({"order.delivered"}))


@pytest.fixture
def site(world: World, machine: FakeMachine, tokens: Tokens) -> Site:
    return site_of(world, machine, tokens, {"segment_api": [shared_text(KEY)]})


async def post(site: Site, path: str, body: object, **headers: str) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with site.client() as client:
        return await client.post(path, content=raw, headers=AUTH | headers)


async def from_page(site: Site, path: str, body: object, origin: str = APP) -> Any:
    """As analytics.js does: no header of ours, the key in the body, which calls itself text."""
    headers = {"origin": origin, "content-type": "text/plain"}
    async with site.client() as client:
        return await client.post(path, content=json.dumps(body).encode(), headers=headers)


@pytest.mark.requirement("R54")
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
async def test_the_library_feeds_us(site: Site, *, packed: bool) -> None:
    failures: list[Exception] = []

    def speak(host: str) -> None:
        client = Client(
            KEY, host=host, gzip=packed, max_retries=0, on_error=lambda error, _items: failures.append(error)
        )
        at = datetime(2026, 3, 3, 8, tzinfo=UTC)
        client.group("c1", "a1", {"name": "Kund AB", "industry": "print"}, timestamp=at)
        client.identify("c1", {"email": "anna@kund.example", "name": "Anna Berg"}, timestamp=at)
        client.track("c1", "Order Delivered", {"order_id": "o1"}, {"groupId": "a1"}, timestamp=at)
        client.page("c1", "Docs", "Start", timestamp=at)
        client.shutdown()

    async with served(site.app) as host:
        await asyncio.to_thread(speak, host)
    assert failures == []
    group, person = await site.world.said(Touchpoint)
    for kind, told in list(site.world.heard):
        if isinstance(told, Touchpoint):
            await site.world.tell(kind, **told.model_dump())
    await site.world.due()
    order = (await site.world.said(Touchpoint))[-1]
    assert (group.account.name, group.account.industry) == ("Kund AB", "print")
    assert order.subject.id == "o1"
    assert person.people[0].ref == order.people[0].ref
    async with site.world.db.read() as conn:
        told = person.people[0]
        opened = await site.world.sealer.open(conn, [(UUID(told.ref), told.sealed)], Person)
    assert opened == [Person(name="Anna Berg", email="anna@kund.example")]


async def test_a_batch_sent_again_is_taken_once(site: Site) -> None:
    batch = {"batch": [SEGMENT_TRACK, SEGMENT_TRACK | {"messageId": "seg-2"}]}
    for _ in range(2):
        assert (await post(site, "/v1/batch", batch)).json() == {"success": True}
    assert len(await site.world.said(Touchpoint)) == 2


async def test_a_single_call_says_its_kind_by_its_address(site: Site) -> None:
    call = {name: value for name, value in SEGMENT_TRACK.items() if name != "type"}
    assert (await post(site, "/v1/track", call)).json() == {"success": True}
    assert len(await site.world.said(Touchpoint)) == 1


async def test_what_cannot_be_used_is_named_and_the_rest_is_taken(site: Site) -> None:
    batch = {"batch": [SEGMENT_TRACK, SEGMENT_TRACK | {"messageId": None, "timestamp": None, "sentAt": None}]}
    answer = await post(site, "/v1/batch", batch)
    wrong = "messageId: missing, and so is timestamp: give one of them"
    (rejected,) = answer.json()["rejected"]
    assert rejected.startswith(f"batch[1].{wrong}")
    alone = await post(site, "/v1/batch", {"batch": batch["batch"][1:]})
    assert (alone.status_code, alone.json()["field"]) == (400, "batch[0].messageId")
    assert len(await site.world.said(Touchpoint)) == 1


async def test_a_call_without_an_id_that_is_delivered_twice_is_taken_once(site: Site) -> None:
    call = {name: value for name, value in SEGMENT_TRACK.items() if name != "messageId"}
    for _ in range(2):
        assert (await post(site, "/v1/track", call)).json() == {"success": True}
    await post(site, "/v1/track", call | {"timestamp": "2026-03-03T08:30:00.000Z"})
    assert len(await site.world.said(Touchpoint)) == 2


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
async def test_the_write_key_may_be_in_the_body(site: Site, *, packed: bool) -> None:
    async def answered(key: object) -> httpx.Response:
        raw = json.dumps({"writeKey": key, "batch": [SEGMENT_TRACK]}).encode()
        headers = {"content-encoding": "gzip"} if packed else {}
        async with site.client() as client:
            return await client.post(
                "/v1/batch", content=gzip.compress(raw) if packed else raw, headers=headers
            )

    assert (await answered(KEY)).json() == {"success": True}
    for key in ("another-write-key-of-nobody", "", 5, None, {"x": 1}, "\ud800" * 20):
        refused = await answered(key)
        assert refused.status_code == 401
        assert "writeKey in the body" in refused.json()["what_to_do"]
    assert len(await site.world.said(Touchpoint)) == 1


async def test_basic_authentication_counts_before_the_body(site: Site) -> None:
    body = {"writeKey": KEY, "batch": [SEGMENT_TRACK]}
    answer = await post(site, "/v1/batch", body, authorization="Basic eDo=")
    assert answer.status_code == 401


# --- pages in browsers: their key is public ------------------------------------------------------------


@pytest.fixture
def open_site(world: World, machine: FakeMachine, tokens: Tokens) -> Site:
    return site_of(world, machine, tokens, {"segment_api": [shared_text(KEY)]}, BROWSERS)


PAGE_CALL = {name: value for name, value in SEGMENT_TRACK.items() if name != "type"} | {"writeKey": PUBLIC}


@pytest.mark.parametrize("key", [KEY, PUBLIC])
async def test_pages_are_refused_unless_they_are_let_in(site: Site, key: str) -> None:
    refused = await from_page(site, "/v1/t", PAGE_CALL | {"writeKey": key})
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        "Events are not taken from pages in browsers.",
    )
    assert "AFTERWORD_TRIGGER_SEGMENT_BROWSER_KEYS" in refused.json()["what_to_do"]
    assert "access-control-allow-origin" not in refused.headers
    async with site.client() as client:
        assert (await client.options("/v1/t", headers={"origin": APP})).status_code == 403
    await site.write_down()
    async with site.world.db.read() as conn:
        (noted,) = await conn.fetch("select sender, reason, times from refused")
    assert tuple(noted) == ("segment_api", "Events are not taken from pages in browsers.", 2)


@pytest.mark.requirement("R54")
async def test_a_page_reports_an_event_of_somebody_known(open_site: Site) -> None:
    world = open_site.world
    await world.tell("contact.updated", contact={"id": "c1", "email": "anna@kund.example"})
    taken = await from_page(open_site, "/v1/t", PAGE_CALL | {"userId": "c1"})
    assert (taken.json(), taken.headers["access-control-allow-origin"]) == ({"success": True}, APP)
    batch = {"writeKey": PUBLIC, "sentAt": PAGE_CALL["sentAt"], "batch": [SEGMENT_TRACK, {"type": "page"}]}
    assert (await from_page(open_site, "/v1/b", batch)).json() == {"success": True}
    (told,) = await world.said(Touchpoint)
    assert (told.contact, told.account, told.subject.id, told.context) == (None, None, "o1", {})


@pytest.mark.parametrize("origin", [APP, ""], ids=["page", "copied key"])
async def test_a_public_key_changes_nobody_and_erases_nobody(open_site: Site, origin: str) -> None:
    who = {"writeKey": PUBLIC, "userId": "c1", "timestamp": PAGE_CALL["timestamp"]}
    renamed = await from_page(open_site, "/v1/i", who | {"traits": {"email": "eve@evil.example"}}, origin)
    assert renamed.json() == {"success": True}
    erased = await from_page(open_site, "/v1/t", who | {"event": "contact.deleted"}, origin)
    assert erased.status_code == 400
    assert erased.json()["detail"].startswith("event: pages may not report it")
    assert await open_site.world.said(Touchpoint) == []


async def test_a_key_of_servers_in_a_page_is_refused_and_said_to_be_given_away(open_site: Site) -> None:
    refused = await from_page(open_site, "/v1/t", PAGE_CALL | {"writeKey": KEY})
    assert refused.status_code == 403
    assert "Replace it" in refused.json()["what_to_do"]
    assert refused.headers["access-control-allow-origin"] == APP
    assert await open_site.world.said(Touchpoint) == []


async def test_pages_of_other_origins_are_refused(open_site: Site) -> None:
    refused = await from_page(open_site, "/v1/t", PAGE_CALL, "https://evil.example")
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        "Pages of this origin may not send events.",
    )
    async with open_site.client() as client:
        ours = await client.options("/v1/b", headers={"origin": APP})
        foreign = await client.options("/v1/b", headers={"origin": "https://evil.example"})
    assert (ours.status_code, ours.headers["access-control-allow-methods"]) == (204, "POST")
    assert (foreign.status_code, foreign.headers.get("access-control-allow-origin")) == (403, None)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"segment_browser_keys": PUBLIC}, "go together"),
        ({"segment_browser_events": "feature.used"}, "go together"),
        ({"segment_browser_keys": KEY}, "holds a key of"),
        ({"segment_browser_events": "contact.deleted"}, "contact.deleted is no touchpoint that pages may"),
        ({"segment_browser_events": "Feature Used"}, "Feature Used is no touchpoint"),
        ({"segment_browser_keys": "short"}, "at least 16 characters"),
    ],
)
def test_pages_are_let_in_whole_or_not_at_all(settings: dict[str, Any], reason: str) -> None:
    whole: dict[str, Any] = {
        "segment_browser_keys": PUBLIC,
        "segment_browser_origins": APP,
        "segment_browser_events": "feature.used",
    }
    base = {} if reason == "go together" else whole
    keys = SecretStr(KEY)
    with pytest.raises(ValueError, match=reason):
        browsers_of(Settings(segment_write_keys=keys, **base | settings))
    assert browsers_of(Settings(segment_write_keys=keys, **whole)).events == {"feature.used"}
    assert browsers_of(Settings(segment_write_keys=keys)) == Browsers()


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(b"{}", {}, 400, id="no batch"),
        pytest.param(b"{}", {"authorization": "Basic eDo="}, 401, id="another key"),
        pytest.param(b"{}", {"authorization": "Bearer x"}, 401, id="no key"),
        pytest.param(b"\x1f\x8b", {"content-encoding": "br"}, 400, id="another compression"),
        pytest.param(b"no gzip", {"content-encoding": "gzip"}, 400, id="no gzip"),
        pytest.param(
            gzip.compress(b" " * 1_048_577), {"content-encoding": "gzip"}, 413, id="unpacked too long"
        ),
        pytest.param(b" " * 1_048_577, {}, 413, id="too long"),
    ],
)
async def test_a_bad_request_is_refused(
    site: Site, body: bytes, headers: dict[str, str], status: int
) -> None:
    assert (await post(site, "/v1/batch", body, **headers)).status_code == status
