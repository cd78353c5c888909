"""What comes in wrong: each promise about bad input, for every sender, on both sides of its edge.

Repeats and conflicts: `test_webhooks_signed.py`; topics of others: `test_sources.py`.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from services.trigger.domain.planning import FUTURE_TOLERANCE
from services.trigger.webhooks import PROVIDERS
from services.trigger.webhooks.body import BadBodyError
from services.trigger.webhooks.contract import Options, Provider
from shared.contracts.envelope import decode
from shared.contracts.touchpoints import Touchpoint
from shared.errors import Undecodable
from shared.runtime.clock import FakeMachine
from shared.security.roles import Scope
from shared.security.schemes import shared_text
from shared.security.signatures import Signed
from shared.security.tokens import Tokens
from tests.support.senders import SENDERS, THIN, secrets, send, signing_site
from tests.support.trigger import Site, World, site_of
from tests.support.webhooks import AT, call, changed

MIB = 1024 * 1024
KEY = "write-key-of-the-tests"
ORDER = {"kind": "order", "id": "o1"}
ANNA = {"id": "c1", "email": "anna@kund.example"}
pytestmark = pytest.mark.requirement("R54")


@pytest.fixture
def site(world: World, machine: FakeMachine, tokens: Tokens) -> Site:
    return signing_site(world, machine, tokens)


def widened(value: Any) -> Any:
    """The same with a field that nobody knows in every object."""
    if isinstance(value, list):
        return [widened(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {**{name: widened(one) for name, one in value.items()}, "x_new": {"deep": [1, None]}}


# --- unknown fields pass -------------------------------------------------------------------------------


async def test_fields_that_nobody_knows_pass_whoever_sends(site: Site) -> None:
    for name, (_, body) in SENDERS.items():
        answer = await send(site, name, widened(body))
        assert answer.json()["status"] == ("parked" if name in THIN else "accepted"), name
    assert len(await site.world.said(Touchpoint)) == len(SENDERS) - len(THIN)


HEADERS = (("ce_id", b"e1"), ("ce_source", b"/crm"), ("ce_type", b"order.delivered"))
TOLD: dict[str, Any] = {
    "occurred_at": "2026-03-03T08:00:00Z", "contact": ANNA, "account": {"id": "a1"}, "subject": ORDER,
}  # fmt: skip


def test_fields_that_nobody_knows_pass_in_a_record() -> None:
    event = decode("afterword.touchpoints", None, json.dumps(widened(TOLD)).encode(), HEADERS)
    assert event is not None
    assert event.data == Touchpoint.model_validate(TOLD)


# --- a missing or wrong field is named with its path, never with its value ----------------------------

SECRET = {"anna": "do not repeat me"}
NEEDED = {
    "generic": "data.occurred_at",
    "zendesk": "detail.requester_id",
    "hubspot": "0.subscriptionType",
    "intercom": "data.item.id",
    "freshdesk": "ticket.contact.email",
    "jira": "issue.fields.reporter.accountId",
    "stripe": "data.object.customer",
    "segment": "event",
    "shopify": "id",
    "aftership": "msg.tag",
}


@pytest.mark.parametrize("wrong", [..., SECRET], ids=["missing", "wrong"])
@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_a_field_is_named_with_its_path_whoever_sends(provider: Provider, wrong: object) -> None:
    path = NEEDED[provider.name]
    body: Any = SENDERS[provider.name][1]
    made = call(changed(body, path, wrong), X_Shopify_Topic="orders/fulfilled")
    named = path.replace("0.", "[0].").replace("[", r"\[")
    with pytest.raises(BadBodyError, match=rf"^{named}: ") as told:
        provider.read(made, Signed("m1", AT), Options())
    assert "repeat" not in str(told.value)


async def test_what_is_named_wrong_is_refused_and_not_taken(site: Site) -> None:
    body: Any = SENDERS["generic"][1]
    told = await send(site, "generic", changed(body, "data.occurred_at", ...))
    assert (told.status_code, told.json()["field"]) == (400, "data.occurred_at")
    assert await site.world.said(Touchpoint) == []


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("occurred_at", ..., "occurred_at"),
        ("occurred_at", "tomorrow", "occurred_at"),
        ("contact.email", SECRET, "contact.email"),
        ("subject.id", ..., "subject.id"),
        ("account.id", "a" * 201, "account.id"),
        ("product", "a\0b", "product"),
        ("contact.id", "a\0b", "contact.id"),
        ("context", {"agent": {"name": "Kim"}}, "context.agent"),
    ],
)
def test_a_field_of_a_record_is_named_with_its_path(path: str, value: object, named: str) -> None:
    record = json.dumps(changed(TOLD, path, value)).encode()
    with pytest.raises(Undecodable, match=rf"^order\.delivered: {named}: ") as told:
        decode("afterword.touchpoints", None, record, HEADERS)
    assert "repeat" not in str(told.value)


@pytest.mark.parametrize("path", ["product", "contact.name", "context.agent"])
async def test_what_no_table_can_hold_is_named_and_not_taken(site: Site, path: str) -> None:
    body: Any = deepcopy(SENDERS["generic"][1])
    body["data"] |= {"context": {}}
    told = await send(site, "generic", changed(body, f"data.{path}", "a\0b"))
    assert (told.status_code, told.json()["detail"]) == (400, f"data.{path}: holds a zero byte")
    assert await site.world.said(Touchpoint) == []


def test_a_value_that_may_be_of_several_kinds_is_said_once() -> None:
    record = json.dumps(TOLD | {"context": {"agent": {"name": "Kim"}}}).encode()
    with pytest.raises(Undecodable) as told:
        decode("afterword.touchpoints", None, record, HEADERS)
    assert str(told.value) == "order.delivered: context.agent: must be a text, a number, true or false"


def test_words_about_a_zero_byte_are_none() -> None:
    event = decode(
        "afterword.touchpoints", None, json.dumps(TOLD | {"product": r"a\u0000b"}).encode(), HEADERS
    )
    assert event is not None
    assert event.data.product == r"a\u0000b"


@pytest.mark.parametrize(("day", "kept"), [("9999-12-31", "9000-01-01"), ("0001-01-01", "1970-01-01")])
@pytest.mark.parametrize("kind", ["contract.renewal_date_set", "order.delivered"])
async def test_a_contract_that_never_ends_is_one_whose_end_is_far_away(
    site: Site, kind: str, day: str, kept: str
) -> None:
    """SAP and others write 9999-12-31; nothing that comes with it is lost for that."""
    who = ANNA | {"persona": "decision_maker", "zone": "Pacific/Auckland"}
    account = {"id": "a1", "tier": "key", "started_on": day}
    event = await site.world.tell(kind, contact=who, account=account, subject=ORDER, renewal_on=day)
    assert await site.world.ledger(event_ids=(event,))
    async with await site.with_key(*Scope) as client:
        shown = (await client.get("/v1/accounts/a1")).json()
        assert (shown["renewal_on"], shown["started_on"]) == (kept, kept)
        written = await client.put("/v1/accounts/a1", json={"renewal_on": day, "name": "Acme"})
        assert written.status_code == 204


async def test_an_event_of_the_first_or_the_last_year_is_recorded_wherever_the_person_lives(
    site: Site,
) -> None:
    """0001-01-01 is what some languages write for no time at all."""
    for zone in ("America/New_York", "Pacific/Auckland"):
        who = {"id": zone, "email": "a@kund.example", "zone": zone}
        event = await site.world.tell(
            "order.delivered",
            contact=who,
            subject={"kind": "order", "id": zone},
            occurred_at="0001-01-01T00:00:00Z",
        )
        (line,) = await site.world.ledger(event_ids=(event,))
        assert line.decision.reason == "expired"
        late = await site.world.tell("order.delivered", contact=who, occurred_at="9999-12-31T23:59:59Z")
        (line,) = await site.world.ledger(event_ids=(late,))
        assert line.decision.inputs["why"] == "the event is from the future"


# --- too early, too late: recorded, not acted on ------------------------------------------------------

FRESH = timedelta(hours=2) + timedelta(days=3)
"""Of the shipped programme about deliveries: the wait, and for how long asking makes sense after it."""


@pytest.mark.parametrize(
    ("moved", "reason"),
    [
        pytest.param(FUTURE_TOLERANCE, None, id="as far ahead as clocks may run"),
        pytest.param(FUTURE_TOLERANCE + timedelta(seconds=1), "filtered", id="from the future"),
        pytest.param(timedelta(seconds=1) - FRESH, None, id="a second of freshness left"),
        pytest.param(-FRESH, "expired", id="older than the freshness"),
    ],
)
async def test_what_is_not_of_now_is_recorded_and_not_acted_on(
    site: Site, moved: timedelta, reason: str | None
) -> None:
    at = (site.world.clock.now() + moved).isoformat()
    data = {"occurred_at": at, "contact": ANNA, "subject": ORDER}
    taken = await send(site, "generic", {"id": "e1", "type": "order.delivered", "data": data})
    assert taken.json()["status"] == "accepted"
    (told,) = await site.world.said(Touchpoint)
    event = await site.world.tell("order.delivered", **told.model_dump())
    (line,) = await site.world.ledger(event_ids=(event,))
    assert line.decision.reason == reason
    assert (await site.world.books()).planned == (reason is None)


# --- 1 MiB at most ------------------------------------------------------------------------------------


async def test_a_body_may_be_one_mebibyte_long_whoever_sends(site: Site) -> None:
    for name, (_, body) in SENDERS.items():
        much = await send(site, name, body, padded_to=MIB + 1)
        assert (much.status_code, "1 MiB" in much.json()["detail"]) == (413, True), name
        assert (await send(site, name, body, padded_to=MIB)).status_code == 200, name
    assert len(await site.world.said(Touchpoint)) == len(SENDERS) - len(THIN)


@pytest.mark.parametrize(("length", "status"), [(MIB, 200), (MIB + 1, 413)])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
async def test_a_batch_may_be_one_mebibyte_long_unpacked(
    world: World, machine: FakeMachine, tokens: Tokens, length: int, status: int, packed: bool
) -> None:
    site = site_of(world, machine, tokens, {"segment_api": [shared_text(KEY)]})
    raw = json.dumps({"batch": [SENDERS["segment"][1]]}).ljust(length).encode()
    headers = {"authorization": "Basic " + b64encode(f"{KEY}:".encode()).decode()}
    headers |= {"content-encoding": "gzip"} if packed else {}
    async with site.client() as client:
        content = gzip.compress(raw) if packed else raw
        answer = await client.post("/v1/batch", content=content, headers=headers)
    assert answer.status_code == status


# --- a signature failure says only that ---------------------------------------------------------------


async def test_whoever_is_not_who_they_say_learns_nothing_else(
    site: Site, world: World, machine: FakeMachine, tokens: Tokens
) -> None:
    """The same words for a wrong secret, none, a changed body, and where no secret was ever agreed."""
    stranger = site_of(world, machine, tokens, dict.fromkeys(secrets(), ()))
    told: set[str] = set()
    for name, (sign, body) in SENDERS.items():
        signed = sign("a secret that nobody agreed on", "{}", site) if name != "generic" else {}
        async with site.client() as client:
            path, raw = f"/webhooks/{name}", json.dumps(deepcopy(body)).encode()
            answers = [await client.post(path, content=raw, headers=h) for h in (signed, {})]
            answers.append(await client.post(path, content=b"no JSON at all", headers=signed))
        answers.append(await send(stranger, name, body))
        assert {answer.status_code for answer in answers} == {401}, name
        told |= {json.dumps({**answer.json(), "instance": ""}, sort_keys=True) for answer in answers}
    assert len(told) == 1
    assert await world.said(Touchpoint) == []
