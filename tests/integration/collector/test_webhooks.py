"""Customers' own endpoints are told of answers: signed, tried again, logged, and told again when they ask."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.collector.channels.webhook import WebhookChannel
from services.collector.domain import webhooks as rules
from services.collector.handlers.webhooks import Secrets
from services.collector.worker.webhooks import Calling
from shared.contracts.directory import ContactErased
from shared.security.roles import Scope
from shared.security.signatures import WebhookSecret, sign_standard
from tests.support.collector import Collector, contact_id, survey_id
from tests.support.serving import served


@dataclass(slots=True)
class Endpoint:
    """A customer's program: keeps what it was told, answers as it is told to."""

    url: str = ""
    status: int = 200
    heard: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        """One call."""
        self.raw.append(await request.body())
        self.heard.append((dict(request.headers), json.loads(self.raw[-1])))
        return Response(status_code=self.status, headers={"location": "/elsewhere"})


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    made = Endpoint()
    app = Starlette(routes=[Route("/hook", made.take, methods=["POST"])])
    async with served(app) as address:
        made.url = f"{address}/hook"
        yield made


@pytest.fixture
async def admin(collector: Collector) -> AsyncIterator[httpx.AsyncClient]:
    _, key = await collector.access.create_key("backend", [Scope.SETTINGS_READ, Scope.SETTINGS_WRITE])
    async with collector.client() as client:
        client.headers.update({"authorization": f"Bearer {key}", "accept": "application/json"})
        yield client


@pytest.fixture
async def call(collector: Collector) -> AsyncIterator[Callable[[], Any]]:
    """Make all calls that are due."""
    async with httpx.AsyncClient() as client:
        channel = WebhookChannel(lambda: client, private=True)
        calling = Calling(
            collector.db, collector.sealer, Secrets(collector.sealer), channel, collector.machine
        )

        async def rounds() -> int:
            count = 0
            while made := await calling.run():
                count += made
            return count

        yield rounds


async def registered(collector: Collector, admin: httpx.AsyncClient, url: str, **more: Any) -> dict[str, Any]:
    """An endpoint, added while private addresses are allowed."""
    made = await admin.post("/v1/webhooks", json={"url": "https://hooks.example/x", **more})
    assert made.status_code == 201
    async with collector.db.begin() as tx:
        await tx.conn.execute(
            "update webhook_endpoints set url = $2 where id = $1", UUID(made.json()["id"]), url
        )
    told: dict[str, Any] = made.json()
    return told


async def answered(collector: Collector, number: int, **answers: Any) -> None:
    """An answer that was announced."""
    await collector.asked(number)
    await collector.handed_over(number)
    async with collector.client() as client:
        body = {"token": collector.tokens.sign("answer", survey_id(number)), "answers": answers}
        assert (await client.post("/v1/responses", json=body)).status_code == 201
    collector.wait(60)
    await collector.settle()


async def test_an_endpoint_is_told_once_signed_and_with_all_it_needs(
    collector: Collector, admin: httpx.AsyncClient, endpoint: Endpoint, call: Callable[[], Any]
) -> None:
    hook = await registered(collector, admin, endpoint.url)
    await answered(collector, 1, ces=2, hard="The import")
    assert (await call(), await call()) == (1, 0)
    ((headers, body),) = endpoint.heard
    assert (body["type"], body["data"]["survey_id"]) == ("response.submitted", str(survey_id(1)))
    assert body["data"]["primary"] == {"question": "ces", "type": "ces", "value": 2}
    assert body["data"]["texts"] == {"hard": "The import"}
    listed = (await admin.get(f"/v1/webhooks/{hook['id']}/deliveries")).json()["deliveries"]
    assert [(one["state"], one["message_id"]) for one in listed] == [("delivered", headers["webhook-id"])]
    key = WebhookSecret.standard(hook["secret"])
    signed = sign_standard(headers["webhook-id"], collector.machine.wall(), endpoint.raw[0], key)
    assert {name: headers[name] for name in signed} == signed
    assert (await admin.get(f"/v1/webhooks/{hook['id']}/secret")).json()["secret"] == hook["secret"]


async def test_what_failed_is_tried_for_three_days_logged_and_told_again_on_request(
    collector: Collector, admin: httpx.AsyncClient, endpoint: Endpoint, call: Callable[[], Any]
) -> None:
    hook = await registered(collector, admin, endpoint.url)
    endpoint.status = 503
    await answered(collector, 1, ces=6)
    assert await call() == 1
    for wait in rules.WAITS:
        collector.wait(wait.total_seconds() - 1)
        assert await call() == 0
        collector.wait(1)
        assert await call() == 1
    collector.wait(30 * 86_400)
    assert await call() == 0
    path = f"/v1/webhooks/{hook['id']}"
    (failed,) = (await admin.get(f"{path}/deliveries", params={"state": "failed"})).json()["deliveries"]
    assert [(one["number"], one["status"]) for one in failed["log"]] == [(n, 503) for n in range(1, 11)]
    endpoint.status = 204
    assert (await admin.post(f"{path}/replay", json={})).json() == {"queued": 1}
    assert await call() == 1
    assert len({headers["webhook-id"] for headers, _ in endpoint.heard}) == 1
    assert (await admin.post(f"{path}/replay", json={})).json() == {"queued": 0}
    (delivered,) = (await admin.get(f"{path}/deliveries")).json()["deliveries"]
    assert (delivered["state"], delivered["log"][-1]["number"]) == ("delivered", 11)


async def test_who_answers_gone_is_called_no_more_until_switched_on(
    collector: Collector, admin: httpx.AsyncClient, endpoint: Endpoint, call: Callable[[], Any]
) -> None:
    hook = await registered(collector, admin, endpoint.url)
    endpoint.status = 410
    await answered(collector, 1, ces=6)
    assert await call() == 1
    (listed,) = (await admin.get("/v1/webhooks")).json()["webhooks"]
    assert (listed["active"], listed["failed"]) == (False, 1)
    assert "410" in listed["off_because"]
    await answered(collector, 2, ces=6)
    assert await call() == 0
    endpoint.status = 200
    await admin.patch(f"/v1/webhooks/{hook['id']}", json={"active": True})
    await answered(collector, 3, ces=6)
    assert await call() == 1


async def test_an_endpoint_hears_only_what_it_chose(
    collector: Collector, admin: httpx.AsyncClient, endpoint: Endpoint, call: Callable[[], Any]
) -> None:
    await registered(collector, admin, endpoint.url, topics=["response.amended"])
    await registered(collector, admin, endpoint.url, programmes=["another"])
    await answered(collector, 1, ces=6)
    assert await call() == 0
    async with collector.client() as client:
        body = {"token": collector.tokens.sign("answer", survey_id(1)), "answers": {"ces": 3}}
        await client.post("/v1/responses", json=body)
    collector.wait(60)
    await collector.settle()
    assert await call() == 1
    assert endpoint.heard[0][1]["data"]["primary"]["value"] == 3


async def test_a_test_call_and_a_new_secret(
    collector: Collector, admin: httpx.AsyncClient, endpoint: Endpoint, call: Callable[[], Any]
) -> None:
    hook = await registered(collector, admin, endpoint.url)
    path = f"/v1/webhooks/{hook['id']}"
    rotated = (await admin.post(f"{path}/rotate")).json()["secret"]
    assert rotated != hook["secret"]
    await admin.post(f"{path}/test")
    await call()
    collector.wait(timedelta(hours=24).total_seconds())
    await admin.post(f"{path}/test")
    await call()
    assert [body["type"] for _, body in endpoint.heard] == ["webhook.test"] * 2
    assert [len(headers["webhook-signature"].split()) for headers, _ in endpoint.heard] == [2, 1]


async def test_what_is_told_after_an_erasure_has_no_person(
    collector: Collector, admin: httpx.AsyncClient, endpoint: Endpoint, call: Callable[[], Any]
) -> None:
    await registered(collector, admin, endpoint.url)
    await answered(collector, 1, ces=2, hard="The import")
    async with collector.db.begin() as tx:
        await collector.sealer.destroy(tx.conn, [contact_id(1)])
    await collector.feed(
        ContactErased(contact_id=str(contact_id(1)), version=2, erased_at=collector.clock.now())
    )
    assert await call() == 1
    told = endpoint.heard[0][1]["data"]
    assert (told["contact_id"], told["texts"], told["primary"]["value"]) == (None, {}, 2)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"url": "http://hooks.example/x"}, 422),
        ({"url": "ftp://hooks.example/x"}, 422),
        ({"url": "https://user:secret@hooks.example/x"}, 422),
        ({"url": "https://hooks.example/x", "topics": ["webhook.test"]}, 422),
        ({"url": "https://hooks.example/x", "colour": "red"}, 422),
        ({"url": "https://[::1"}, 422),
    ],
)
async def test_a_wrong_endpoint_is_refused(
    admin: httpx.AsyncClient, body: dict[str, Any], status: int
) -> None:
    assert (await admin.post("/v1/webhooks", json=body)).status_code == status
    assert (await admin.get("/v1/webhooks")).json() == {"webhooks": []}


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x", "https://localhost/x", "https://10.1.2.3/x", "https://169.254.169.254/latest",
        "https://[::1]/x", "https://[::ffff:127.0.0.1]/x", "https://0.0.0.0/x",
    ],
)  # fmt: skip
async def test_nobody_is_called_inside_the_house(url: str) -> None:
    async with httpx.AsyncClient() as client:
        answer = await WebhookChannel(lambda: client).post(url, {}, b"{}")
    assert (answer.status, answer.error) == (0, "not a public address")


async def test_a_redirect_is_an_answer_and_is_not_followed(endpoint: Endpoint) -> None:
    endpoint.status = 302
    async with httpx.AsyncClient() as client:
        answer = await WebhookChannel(lambda: client, private=True).post(endpoint.url, {}, b"{}")
    assert answer.status == 302
    assert len(endpoint.heard) == 1
