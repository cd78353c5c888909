"""Thin reports: told when somebody is known, parked with a reason until then, looked up, or given up."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.trigger.connectors.contract import Api, Found, Pace
from services.trigger.connectors.hubspot import HubspotCrm
from services.trigger.connectors.zendesk import ZendeskUsers
from services.trigger.domain.explain import sentence
from services.trigger.domain.reports import Gap, Named, Report
from services.trigger.handlers.intake import Intake, Taken
from services.trigger.worker.lookups import LookUps
from shared.contracts.model import Person
from shared.contracts.reasons import Outcome, Reason
from shared.contracts.touchpoints import Subject, Touchpoint, TouchpointContact
from shared.errors import SendError
from shared.runtime.clock import FakeMachine
from shared.security.roles import Role, Scope
from tests.support.trigger import Site, World

SOLVED, REOPENED = "support_ticket.resolved", "support_ticket.reopened"
ANNA = {"id": "zendesk:42", "email": "anna@kund.example"}


@pytest.fixture
def site(blank_site: Site) -> Site:
    return blank_site


def thin(world: World, name: str, kind: str = SOLVED, gap: Gap | None = None) -> Report:
    missing = gap or Gap("zendesk", Named.CONTACT, "zendesk:42")
    own = missing.id if missing.kind is Named.CONTACT else ""
    touchpoint = Touchpoint(
        occurred_at=world.clock.now(),
        contact=TouchpointContact(id=own, role="requester"),
        subject=Subject(kind="ticket", id="5158"),
    )
    return Report(name, name, "/webhooks/zendesk", name, kind, touchpoint, missing)


async def take(
    world: World, machine: FakeMachine, *reports: Report, looked_up: frozenset[str] = frozenset()
) -> list[Taken]:
    intake = Intake(world.sealer, machine, looked_up=looked_up)
    async with world.db.begin() as tx:
        return await intake.take(tx, "/webhooks/zendesk", reports)


async def told(world: World) -> list[str]:
    """Types of all touchpoints that were announced, which then also happen."""
    before = len(world.heard)
    await world.said(Touchpoint)
    fresh = [(kind, said) for kind, said in world.heard[before:] if isinstance(said, Touchpoint)]
    for kind, said in fresh:
        await world.tell(kind, **said.model_dump())
    return [kind for kind, _ in fresh]


@pytest.mark.requirement("R12")
async def test_somebody_unknown_is_waited_for_and_the_survey_goes_to_them(
    world: World, machine: FakeMachine
) -> None:
    assert await take(world, machine, thin(world, "z1")) == [Taken.PARKED]
    await world.due()
    assert await told(world) == []
    await world.tell("contact.updated", contact=ANNA)
    await world.due()
    assert await told(world) == [SOLVED]
    assert (await world.books()).pending == 1


async def test_somebody_known_is_not_waited_for(world: World, machine: FakeMachine) -> None:
    await world.tell("contact.updated", contact=ANNA)
    assert await take(world, machine, thin(world, "z1")) == [Taken.ACCEPTED]
    assert await told(world) == [SOLVED]


async def test_an_id_without_address_is_not_enough(world: World, machine: FakeMachine) -> None:
    await world.tell("contact.updated", contact={"id": "zendesk:42"})
    assert await take(world, machine, thin(world, "z1")) == [Taken.PARKED]
    await world.tell("contact.updated", contact={"id": "zendesk:42", "locale": "sv"})
    await world.due()
    assert await told(world) == []
    await world.tell("contact.updated", contact={"id": "zendesk:42", "phone": "+46701234567"})
    await world.due()
    assert await told(world) == [SOLVED]


async def test_what_one_person_did_is_told_in_its_order(world: World, machine: FakeMachine) -> None:
    await take(world, machine, thin(world, "z1"))
    await world.tell("contact.updated", contact=ANNA)
    assert await take(world, machine, thin(world, "z2", REOPENED)) == [Taken.PARKED]
    await world.due()
    assert await told(world) == [SOLVED, REOPENED]
    assert (await world.books()).cancelled == 1


async def test_an_erased_person_is_not_waited_for(world: World, machine: FakeMachine) -> None:
    await take(world, machine, thin(world, "z1"))
    await world.tell("contact.deleted", contact=ANNA)
    await world.due()
    assert await told(world) == [SOLVED]
    assert (await world.books()).requested == 0


async def test_who_never_becomes_known_is_given_up_with_a_reason(site: Site, machine: FakeMachine) -> None:
    world = site.world
    await take(world, machine, thin(world, "z1"), thin(world, "z2", REOPENED))
    await world.later(days=13, hours=23)
    assert [outcome for outcome, _ in await world.reasons()] == ["deferred", "deferred"]
    await world.later(hours=2)
    await world.tell("contact.updated", contact=ANNA)
    await world.due()
    assert SOLVED not in await told(world)
    deferred, _, given_up, _ = [
        e.decision for e in await world.ledger() if e.decision.reason is Reason.UNKNOWN_CONTACT
    ]
    assert (deferred.outcome, given_up.outcome) == (Outcome.DEFERRED, Outcome.NOT_MATCHED)
    assert sentence(deferred).startswith("The event waits at most until 17 March 2026")
    assert sentence(given_up).startswith("Nobody is asked, because the event names somebody by an id alone")
    assert "it names contact zendesk:42" in sentence(given_up)


async def test_operators_see_what_waits_and_why(site: Site, machine: FakeMachine) -> None:
    await take(site.world, machine, thin(site.world, "z1"))
    async with await site.with_key(Scope.DECISIONS_READ) as client:
        (row,) = (await client.get("/v1/decisions/parked")).json()
        (line,) = (await client.get("/v1/decisions", params={"event": row["event_id"]})).json()["decisions"]
        assert (await client.get("/v1/decisions/parked", params={"state": "expired"})).json() == []
    assert (row["named"], row["why"], row["type"]) == ("zendesk:42", "unknown", SOLVED)
    assert line["reason"] == "unknown_contact"
    async with await site.signed_in(Role.REP) as browser:
        for wanted in (row["event_id"], "zendesk:42"):
            page = await browser.get("/why", params={"q": wanted})
            assert "The event waits at most until" in page.text


async def test_nothing_personal_lies_about(world: World, machine: FakeMachine) -> None:
    report = thin(world, "z1")
    named = report.touchpoint.model_copy(
        update={"contact": TouchpointContact(id="zendesk:42", name="Anna Berg")}
    )
    await take(world, machine, Report("z", "z", "/s", "z", SOLVED, named, report.gap))
    async with world.db.read() as conn:
        assert "Anna" not in await conn.fetchval("select touchpoint::text from parked")


async def test_two_instances_release_once(world: World, machine: FakeMachine) -> None:
    await take(world, machine, *(thin(world, f"z{n}") for n in range(5)))
    await world.tell("contact.updated", contact=ANNA)
    await world.due()
    await world.due()
    assert await told(world) == [SOLVED] * 5


# --- look-ups


@dataclass
class Partner:
    """A stub of a partner's API over httpx; notes what it was asked."""

    answer: Callable[[httpx.Request], httpx.Response]
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def api(self, machine: FakeMachine, per_second: float = 100.0, burst: int = 5) -> Api:
        def serve(request: httpx.Request) -> httpx.Response:
            body = json.loads(request.content) if request.content else None
            self.asked.append((request.url.path, body))
            return self.answer(request)

        client = httpx.AsyncClient(base_url="https://partner.example", transport=httpx.MockTransport(serve))
        return Api(client, Pace(machine, per_second, burst))


def zendesk_answer(_request: httpx.Request) -> httpx.Response:
    user = {"id": 42, "email": "anna@kund.example", "name": "Anna Berg", "locale": "sv", "organization_id": 9}
    firm = {"id": 9, "name": "Kund AB", "external_id": "a1"}
    return httpx.Response(200, json={"users": [user], "organizations": [firm]})


def hubspot_answer(request: httpx.Request) -> httpx.Response:
    match request.url.path:
        case "/crm/v4/associations/tickets/contacts/batch/read":
            rows: list[Any] = [{"from": {"id": "5512"}, "to": [{"toObjectId": 7}]}]
        case "/crm/v4/associations/tickets/companies/batch/read":
            rows = [{"from": {"id": "5512"}, "to": [{"toObjectId": 77}]}]
        case "/crm/v3/objects/contacts/batch/read":
            rows = [{"id": "7", "properties": {"email": "anna@kund.example", "firstname": "Anna"}}]
        case _:
            rows = [{"id": "77", "properties": {"name": "Kund AB"}}]
    return httpx.Response(200, json={"results": rows})


async def test_zendesk_says_who_asked(world: World, machine: FakeMachine) -> None:
    partner = Partner(zendesk_answer)
    gaps = [Gap("zendesk", Named.CONTACT, "zendesk:42"), Gap("zendesk", Named.CONTACT, "zendesk:43")]
    await take(
        world, machine, thin(world, "z1"), thin(world, "z2", gap=gaps[1]), looked_up=frozenset({"zendesk"})
    )
    look_ups = LookUps(world.db, world.sealer, machine, {"zendesk": ZendeskUsers(partner.api(machine))})
    assert await look_ups.run() == 2
    assert len(partner.asked) == 1
    (said,) = await world.said(Touchpoint)
    assert (said.account.id, said.account.name) == ("a1", "Kund AB")
    async with world.db.read() as conn:
        people = await world.sealer.open(conn, [(UUID(said.people[0].ref), said.people[0].sealed)], Person)
        whys = await conn.fetch("select named, state, why from parked order by id")
    assert people == [Person(name="Anna Berg", email="anna@kund.example")]
    assert [tuple(row) for row in whys] == [
        ("zendesk:42", "released", "unknown"),
        ("zendesk:43", "waiting", "looked_up_in_vain"),
    ]
    assert await look_ups.run() == 0


async def test_hubspot_says_whose_ticket_it_is_and_is_asked_once(world: World, machine: FakeMachine) -> None:
    partner = Partner(hubspot_answer)
    ticket = Gap("hubspot", Named.TICKET, "5512")
    await take(world, machine, thin(world, "h1", gap=ticket), looked_up=frozenset({"hubspot"}))
    look_ups = LookUps(world.db, world.sealer, machine, {"hubspot": HubspotCrm(partner.api(machine))})
    await look_ups.run()
    assert await told(world) == [SOLVED]
    assert await take(world, machine, thin(world, "h2", REOPENED, ticket)) == [Taken.ACCEPTED]
    assert await told(world) == [REOPENED]
    assert (await world.books()).cancelled == 1
    assert len(partner.asked) == 4


async def test_a_hundred_are_asked_for_at_once(machine: FakeMachine) -> None:
    partner = Partner(zendesk_answer)
    connector = ZendeskUsers(partner.api(machine))
    await connector.find([Gap("zendesk", Named.CONTACT, f"zendesk:{n}") for n in range(250)])
    assert len(partner.asked) == 3


@pytest.mark.parametrize(
    ("answer", "minutes"),
    [
        pytest.param(httpx.Response(503), 0.5, id="a failure, tried again"),
        pytest.param(httpx.Response(429, headers={"retry-after": "300"}), 5, id="asked to wait"),
        pytest.param(httpx.Response(401), 360, id="refused"),
        pytest.param(httpx.Response(200, text="<html>"), 0.5, id="no JSON"),
    ],
)
async def test_a_failed_look_up_comes_again_later(
    world: World, machine: FakeMachine, answer: httpx.Response, minutes: float
) -> None:
    answers = [answer]
    partner = Partner(lambda request: answers.pop() if answers else zendesk_answer(request))
    await take(world, machine, thin(world, "z1"), looked_up=frozenset({"zendesk"}))
    look_ups = LookUps(world.db, world.sealer, machine, {"zendesk": ZendeskUsers(partner.api(machine))})
    await look_ups.run()
    async with world.db.read() as conn:
        (row,) = await conn.fetch("select why, look_up_at from parked")
    assert tuple(row) == ("look_up_failed", machine.wall() + timedelta(minutes=minutes))
    assert await look_ups.run() == 0
    machine.advance(minutes * 60)
    assert await look_ups.run() == 1
    assert await told(world) == [SOLVED]


async def test_who_became_known_meanwhile_is_not_told_twice(world: World, machine: FakeMachine) -> None:
    await take(world, machine, thin(world, "z1"), looked_up=frozenset({"zendesk"}))
    looking = Meanwhile(world)
    await LookUps(world.db, world.sealer, machine, {"zendesk": looking}).run()
    assert await told(world) == [SOLVED]


@dataclass
class Meanwhile:
    """A partner that takes so long that somebody else tells us first."""

    world: World

    async def find(self, gaps: Sequence[Gap]) -> dict[Gap, Found]:
        assert len(gaps) == 1
        await self.world.tell("contact.updated", contact=ANNA)
        await self.world.due()
        return {}


async def test_partners_are_asked_no_faster_than_agreed(machine: FakeMachine) -> None:
    api = Partner(zendesk_answer).api(machine, per_second=2, burst=3)
    started = machine.monotonic()
    for _ in range(3):
        await api.ask("GET", "/")
    assert machine.monotonic() == started
    for _ in range(4):
        await api.ask("GET", "/")
    assert machine.monotonic() == started + 2.0


async def test_a_wish_to_wait_holds_every_request(machine: FakeMachine) -> None:
    answers = [httpx.Response(429, headers={"retry-after": "60"})]
    partner = Partner(lambda request: answers.pop() if answers else zendesk_answer(request))
    api = partner.api(machine)
    with pytest.raises(SendError):
        await api.ask("GET", "/")
    with pytest.raises(SendError, match="asked to wait") as error:
        await api.ask("GET", "/")
    assert error.value.retry_after is not None
    assert len(partner.asked) == 1
    machine.advance(error.value.retry_after.total_seconds())
    await api.ask("GET", "/")
    assert len(partner.asked) == 2
