"""Segment's own Python library posts to our `/v1/batch` over loopback."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from segment.analytics.client import Client

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


@pytest.fixture
def site(world: World, machine: FakeMachine, tokens: Tokens) -> Site:
    return site_of(world, machine, tokens, {"segment_api": [shared_text(KEY)]})


async def post(site: Site, path: str, body: object, **headers: str) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with site.client() as client:
        return await client.post(path, content=raw, headers=AUTH | headers)


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
    batch = {"batch": [SEGMENT_TRACK, SEGMENT_TRACK | {"messageId": None}]}
    answer = await post(site, "/v1/batch", batch)
    assert answer.json() == {"success": True, "rejected": ["batch[1].messageId: missing"]}
    alone = await post(site, "/v1/batch", {"batch": batch["batch"][1:]})
    assert (alone.status_code, alone.json()["field"]) == (400, "batch[0].messageId")
    assert len(await site.world.said(Touchpoint)) == 1


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
