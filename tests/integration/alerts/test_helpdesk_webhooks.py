"""Webhooks of helpdesks: proven by each partner's own signature, and the same change counts once."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from hubspot.utils.signature import Signature

from services.alerts import webhooks
from services.alerts.handlers.outside import POLL
from services.alerts.webhooks import HOOKS, MOST, PREFIX, named, secrets_of
from shared.security.access import Access
from shared.security.signatures import WebhookSecret, sign_zendesk
from shared.web.app import web_app
from shared.web.routing import join
from tests.integration.alerts.beside import Beside
from tests.integration.alerts.conftest import Office
from tests.support.alerts import T0

pytestmark = pytest.mark.requirement("R72")
URL = "https://afterword.test"
OLD, NEW = "the-older-secret-of-two", "the-newer-secret-of-two"
Sign = Callable[[str, bytes, datetime], dict[str, str]]


def zendesk(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    return sign_zendesk(WebhookSecret.plain(secret), at, body)


def jira(secret: str, body: bytes, _at: datetime) -> dict[str, str]:
    return {"X-Hub-Signature": "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()}


def hubspot(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    stamp = str(int(at.timestamp() * 1000))
    url = f"{URL}{PREFIX}/hubspot"
    made = Signature.get_signature(secret, body.decode(), "v3", url, "POST", stamp)
    return {"X-HubSpot-Signature-v3": made, "X-HubSpot-Request-Timestamp": stamp}


def header(secret: str, _body: bytes, _at: datetime) -> dict[str, str]:
    return {"X-Afterword-Secret": secret}


def password(secret: str, _body: bytes, _at: datetime) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'afterword:{secret}'.encode()).decode()}"}


CHANGED: list[tuple[str, Sign, Any]] = [
    ("zendesk", zendesk, {"type": "zen:event-type:ticket.comment_added", "detail": {"id": "1"}}),
    ("zendesk", zendesk, {"ticket": {"id": 1}}),
    ("jira", jira, {"webhookEvent": "comment_created", "issue": {"id": "10", "key": "1"}}),
    ("hubspot", hubspot, [{"subscriptionType": "ticket.propertyChange", "objectId": 1}]),
    ("hubspot", hubspot, [{"subscriptionType": "x", "objectId": 7}, {"fromObjectId": 9, "toObjectId": 1}]),
    ("freshdesk", header, {"ticket": {"id": 1, "status": "Resolved"}}),
    ("freshdesk", password, {"ticket": {"id": "1"}}),
    ("salesforce", header, {"case": {"id": "1"}}),
]


class Sender:
    """A helpdesk that has something to say."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._app = web_app(Access(office.db, office.clock, office.machine, secure=False), URL)
        secrets = secrets_of(dict.fromkeys(HOOKS, f"{NEW},{OLD}"))
        join(self._app, webhooks.router(office.db, office.machine, URL, secrets))

    async def posts(
        self, name: str, sign: Sign, body: Any, secret: str = NEW, *, raw: bytes = b"", late: float = 0
    ) -> httpx.Response:
        content = raw or json.dumps(body).encode()
        signed = sign(secret, content, self._office.machine.wall() - timedelta(seconds=late))
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            return await client.post(f"{PREFIX}/{name}", content=content, headers=signed)


@pytest.fixture
async def beside(office: Office) -> Beside:
    office.desk = replace(office.desk, helpdesks=("zendesk",))
    await office.hears(await office.says.answered("r1", 2, T0))
    found = Beside(office)
    await found.compares()
    return found


async def as_copy_of(office: Office, name: str) -> None:
    """Let the case be known as number 1 in some other helpdesk."""
    async with office.db.begin() as tx:
        later = office.machine.wall() + POLL
        await tx.conn.execute("update outside_cases set helpdesk = $1, next_at = $2", name, later)


async def waits(office: Office) -> timedelta:
    """How long until the copy is compared."""
    ((at,),) = await office.rows("select next_at from outside_cases")
    assert isinstance(at, datetime)
    return at - office.machine.wall()


async def test_a_change_told_by_a_signed_webhook_is_looked_at_now(beside: Beside) -> None:
    sender = Sender(beside.office)
    for name, sign, body in CHANGED:
        for secret in (OLD, NEW):
            await as_copy_of(beside.office, name)
            assert await waits(beside.office) == POLL
            answer = await sender.posts(name, sign, body, secret)
            assert (answer.status_code, answer.json()) == (200, {"status": "woken"}), (name, body)
            assert await waits(beside.office) == timedelta(), (name, body)
    assert {name for name, _, _ in CHANGED} == HOOKS.keys()


async def test_who_cannot_prove_it_wakes_nothing(beside: Beside) -> None:
    sender = Sender(beside.office)
    for name, sign, body in CHANGED:
        await as_copy_of(beside.office, name)
        forged = await sender.posts(name, sign, body, "some-other-secret-of-theirs")
        bare = await sender.posts(name, lambda *_: {}, body)
        assert (forged.status_code, bare.status_code) == (401, 401), (name, body)
    assert await waits(beside.office) == POLL


async def test_an_old_signature_is_refused_where_the_time_is_signed(beside: Beside) -> None:
    sender = Sender(beside.office)
    for name, sign in (("zendesk", zendesk), ("hubspot", hubspot)):
        found = [await sender.posts(name, sign, [{"objectId": 5}], late=late) for late in (299, 301)]
        assert [answer.status_code for answer in found] == [200, 401]


async def test_a_comment_and_a_state_come_by_webhook_within_a_round_and_by_both_ways_once(
    beside: Beside,
) -> None:
    sender, body = Sender(beside.office), {"detail": {"id": "1"}}
    beside.there.someone_writes("We ship tomorrow.")
    beside.there.newest.status = "solved"
    assert await beside.compares() == 0
    for _ in range(3):
        await sender.posts("zendesk", zendesk, body)
    assert await beside.compares() == 1
    assert await beside.lines() == ["created", "comment", "solved_there"]
    await beside.later()
    await sender.posts("zendesk", zendesk, body)
    await beside.compares()
    assert await beside.lines() == ["created", "comment", "solved_there"]


async def test_one_that_ended_long_ago_is_looked_at_when_the_helpdesk_says_so(beside: Beside) -> None:
    async with beside.office.db.begin() as tx:
        await tx.conn.execute("update outside_cases set next_at = null")
    assert await beside.later() == 0
    await Sender(beside.office).posts("zendesk", zendesk, {"detail": {"id": "1"}})
    assert await beside.compares() == 1


async def test_a_change_while_somebody_compares_is_looked_at_once_more(beside: Beside) -> None:
    sender, woken = Sender(beside.office), False

    async def hook(_request: httpx.Request) -> None:
        nonlocal woken
        if not woken:
            woken = True
            beside.there.someone_writes("One more thing.")
            await sender.posts("zendesk", zendesk, {"detail": {"id": "1"}})

    beside.hooks.append(hook)
    await beside.later()
    assert await beside.compares() == 1
    assert (await beside.lines()).count("comment") == 1


async def test_what_is_no_case_of_ours_is_ignored_and_what_is_no_json_refused(beside: Beside) -> None:
    sender = Sender(beside.office)
    strangers: list[Any] = [{"detail": {"id": "77"}}, {"detail": 5}, [], "x", {"ticket": {"id": True}}]
    for body in strangers:
        answer = await sender.posts("zendesk", zendesk, body)
        assert (answer.status_code, answer.json()) == (200, {"status": "ignored"})
    for raw in (b"<html>", b"\xff\xfe", b"[" * 100_000):
        answer = await sender.posts("zendesk", zendesk, None, raw=raw)
        assert (answer.status_code, answer.json()["detail"]) == (400, "The body is no JSON.")
    assert (await sender.posts("zendesk", zendesk, None, raw=b"x" * (1024 * 1024 + 1))).status_code == 413


def test_no_more_cases_than_a_bound_and_no_odd_ids() -> None:
    many = [{"objectId": number} for number in range(MOST + 5)]
    assert len(named(HOOKS["hubspot"], json.dumps(many).encode())) == MOST
    odd = [{"objectId": "1\x00"}, {"objectId": "9" * 65}, {"objectId": 1.5}, {"objectId": "9" * 64}]
    assert named(HOOKS["hubspot"], json.dumps(odd).encode()) == ["9" * 64]


def test_a_secret_that_travels_must_be_long() -> None:
    with pytest.raises(ValueError, match="AFTERWORD_ALERTS_FRESHDESK_SECRETS: a shared secret"):
        secrets_of({"freshdesk": "short"})
