"""Every look-up connector against a stub of its partner: who is found, who is not, and every failure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from services.trigger.connectors.contract import Connector
from services.trigger.connectors.partners import Credentials, connectors_of
from services.trigger.domain.reports import Gap, Named
from shared.errors import SendError
from shared.runtime.clock import FakeMachine
from shared.security.partners import PartnerAccess

Answer = Callable[[httpx.Request], httpx.Response]
ANNA = "anna@kund.example"
HERE = PartnerAccess("https://partner.example", "bot@nordlicht.example", "token")
CREDENTIALS = Credentials(
    per_second=1000.0,
    hubspot=HERE,
    zendesk=HERE,
    intercom=HERE,
    jira=HERE,
    shopify=HERE,
    stripe=HERE,
)


def zendesk(request: httpx.Request) -> httpx.Response:
    assert request.url.path == "/api/v2/users/show_many.json"
    assert request.headers["authorization"].startswith("Basic ")
    user = {"id": 42, "email": ANNA, "name": "Anna Berg"}
    nameless = {"id": 44, "email": None}
    return httpx.Response(200, json={"users": [user, nameless]})


def hubspot(request: httpx.Request) -> httpx.Response:
    assert request.headers["authorization"] == "Bearer token"
    rows: list[Any] = [{"id": "7", "properties": {"email": ANNA, "firstname": "Anna", "lastname": "Berg"}}]
    if request.url.path == "/crm/v4/associations/tickets/contacts/batch/read":
        rows = [{"from": {"id": "42"}, "to": [{"toObjectId": 7}]}]
    elif "contacts" not in request.url.path:
        rows = []
    return httpx.Response(200, json={"results": rows})


def intercom(request: httpx.Request) -> httpx.Response:
    assert request.headers["intercom-version"]
    anna = {"id": "42", "external_id": "c1", "email": ANNA, "name": "Anna Berg"}
    if request.method == "GET":
        known = request.url.path == "/contacts/42"
        return httpx.Response(200, json=anna) if known else httpx.Response(404, json={"type": "error.list"})
    wanted = json.loads(request.content)["query"]
    assert (wanted["field"], wanted["operator"]) == ("external_id", "=")
    return httpx.Response(200, json={"data": [anna] if wanted["value"] == "c1" else []})


def jira(request: httpx.Request) -> httpx.Response:
    assert request.url.path == "/rest/api/3/user/bulk"
    assert request.headers["authorization"].startswith("Basic ")
    asked = parse_qs(request.url.query.decode())["accountId"]
    users = [{"accountId": "42", "emailAddress": ANNA, "displayName": "Anna Berg"}, {"accountId": "44"}]
    return httpx.Response(200, json={"values": [user for user in users if user["accountId"] in asked]})


def shopify(request: httpx.Request) -> httpx.Response:
    assert request.headers["x-shopify-access-token"] == "token"
    order = {
        "id": 42, "email": ANNA, "customer": {"id": 7, "first_name": "Anna", "last_name": "Berg"},
        "company": {"id": 9, "name": "Kund AB"},
    }  # fmt: skip
    return httpx.Response(200, json={"orders": [order, {"id": 44}]})


def stripe(request: httpx.Request) -> httpx.Response:
    known = {
        "/v1/customers/42": {"id": "42", "email": ANNA, "name": "Anna Berg", "preferred_locales": ["sv"]},
        "/v1/customers/44": {"id": "44", "deleted": True},
    }
    found = known.get(request.url.path)
    return httpx.Response(200, json=found) if found else httpx.Response(404, json={"error": {}})


@dataclass(frozen=True)
class Case:
    """A partner: how it answers, how its events name people, how many are asked for at once."""

    name: str
    answer: Answer
    kind: Named = Named.CONTACT
    prefix: str = ""
    at_once: int = 100
    requests: int = 1

    def gap(self, number: object) -> Gap:
        return Gap(self.name, self.kind, f"{self.prefix}{number}")


CASES = [
    Case("zendesk", zendesk, prefix="zendesk:"),
    Case("hubspot", hubspot, Named.TICKET, requests=3),
    Case("intercom", intercom, prefix="intercom:", at_once=1),
    Case("jira", jira, prefix="jira:", at_once=50),
    Case("shopify", shopify, Named.ORDER),
    Case("stripe", stripe, prefix="stripe:", at_once=1),
]


@dataclass
class Stub:
    """The partner's side of the line; notes what it was asked."""

    answer: Answer
    asked: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer(request)


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


def connector(
    case: Case, machine: FakeMachine, answer: Answer | None = None, per_second: float = 1000.0
) -> tuple[Connector, Stub]:
    stub = Stub(answer or case.answer)
    known: dict[str, Any] = {"per_second": per_second, case.name: HERE}
    given = Credentials(**known)
    found = connectors_of(given, machine, httpx.MockTransport(stub))
    assert list(found) == [case.name], "only whom we have credentials of"
    return found[case.name], stub


def test_all_partners_with_credentials_are_asked(machine: FakeMachine) -> None:
    assert set(connectors_of(CREDENTIALS, machine)) == {case.name for case in CASES}
    assert connectors_of(Credentials(hubspot=PartnerAccess("https://partner.example")), machine) == {}
    assert "token" not in repr(CREDENTIALS)


async def test_who_is_known_is_found_and_others_are_left_out(case: Case, machine: FakeMachine) -> None:
    of, _ = connector(case, machine)
    known, unknown, nameless = (case.gap(number) for number in (42, 43, 44))
    found = await of.find([known, unknown, nameless])
    assert set(found) == {known}
    assert (found[known].contact.email, found[known].contact.name) == (ANNA, "Anna Berg")


async def test_nobody_is_asked_about_nobody(case: Case, machine: FakeMachine) -> None:
    of, stub = connector(case, machine)
    assert await of.find([]) == {}
    foreign = Gap(case.name, Named.CONTRACT, "42")
    assert await of.find([foreign]) == {}
    assert stub.asked == []


async def test_many_are_asked_for_at_once_where_the_partner_allows(case: Case, machine: FakeMachine) -> None:
    of, stub = connector(case, machine)
    await of.find([case.gap(number) for number in range(1000, 1000 + 2 * case.at_once + 1)])
    assert len(stub.asked) == 3 * case.requests


async def test_no_faster_than_agreed(case: Case, machine: FakeMachine) -> None:
    of, stub = connector(case, machine, per_second=1.0)
    started = machine.monotonic()
    for _ in range(8):
        await of.find([case.gap(1042)])
    spent = machine.monotonic() - started
    assert spent >= len(stub.asked) - 6, "five may come at once after a rest"


@pytest.mark.parametrize(
    ("answer", "permanent", "wait"),
    [
        pytest.param(httpx.Response(401), True, None, id="refused"),
        pytest.param(httpx.Response(403), True, None, id="forbidden"),
        pytest.param(httpx.Response(429, headers={"retry-after": "30"}), False, 30, id="too many"),
        pytest.param(httpx.Response(429), False, None, id="too many, no word of when"),
        pytest.param(httpx.Response(500), False, None, id="broken"),
        pytest.param(httpx.Response(200, text="<html>"), False, None, id="no JSON"),
        pytest.param(httpx.Response(200, json=[1]), False, None, id="no object"),
    ],
)
async def test_a_failure_says_whether_to_come_again(
    case: Case, machine: FakeMachine, answer: httpx.Response, permanent: bool, wait: int | None
) -> None:
    of, _ = connector(case, machine, lambda _: answer)
    with pytest.raises(SendError) as error:
        await of.find([case.gap(42)])
    assert error.value.permanent is permanent
    assert error.value.retry_after == (timedelta(seconds=wait) if wait else None)


async def test_a_partner_that_is_away_may_be_asked_again(case: Case, machine: FakeMachine) -> None:
    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("too slow", request=request)

    of, _ = connector(case, machine, silent)
    with pytest.raises(SendError) as error:
        await of.find([case.gap(42)])
    assert not error.value.permanent


@pytest.mark.parametrize(
    "odd", [{}, {"users": 7}, {"results": [7]}, {"values": [{"accountId": ["x"]}]}, {"orders": [{"id": {}}]}]
)
async def test_an_answer_of_another_shape_finds_nobody(
    case: Case, machine: FakeMachine, odd: dict[str, Any]
) -> None:
    of, _ = connector(case, machine, lambda _: httpx.Response(200, json=odd))
    assert await of.find([case.gap(42)]) == {}


async def test_intercom_finds_whom_the_company_gave_an_id(machine: FakeMachine) -> None:
    of, stub = connector(CASES[2], machine)
    named, unknown = Gap("intercom", Named.CONTACT, "c1"), Gap("intercom", Named.CONTACT, "c2")
    assert set(await of.find([named, unknown])) == {named}
    assert [request.method for request in stub.asked] == ["POST", "POST"]


async def test_shopify_says_for_which_company_it_was_ordered(machine: FakeMachine) -> None:
    of, _ = connector(CASES[4], machine)
    gap = CASES[4].gap(42)
    found = (await of.find([gap]))[gap]
    assert found.account is not None
    assert (found.account.id, found.account.name, found.contact.id) == ("shopify:9", "Kund AB", "shopify:7")
