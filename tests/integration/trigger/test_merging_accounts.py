"""Two accounts of one company become one, whoever says so and in whatever order it is heard."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from services.trigger.domain.model import Account, account_id
from services.trigger.handlers.people import find_account
from services.trigger.store import brakes, directory
from shared.contracts.deliveries import DeliveryHandedOver
from shared.contracts.directory import AccountChanged, ContactChanged
from shared.contracts.messages import MessageKind
from shared.contracts.model import Channel
from shared.contracts.surveys import SurveyRequested
from shared.security.roles import Role, Scope
from tests.support.trigger import Site, World

ACME = {"id": "a1", "name": "Acme", "tier": "key"}
GROUP = {"id": "a2", "name": "Acme Group", "owner": "maria@nordlicht.example"}
ANNA = {"id": "c1", "email": "anna@kund.example", "zone": "Europe/Stockholm"}
BO = {"id": "c2", "email": "bo@kund.example", "zone": "Europe/Stockholm"}
pytestmark = pytest.mark.requirement("R53")


async def deliver(world: World, who: dict[str, str], account: dict[str, str], number: int) -> str:
    order = {"kind": "order", "id": f"o{number}"}
    return await world.tell("order.delivered", contact=who, account=account, subject=order)


async def unite(world: World, stays: str = "a1", other: str = "a2") -> str:
    return await world.tell("account.merged", accounts=[{"id": stays}, {"id": other}])


async def company(world: World, ref: str) -> Account:
    async with world.db.read() as conn:
        found = await find_account(conn, ref)
        assert found is not None, ref
        return (await directory.get_accounts(conn, [found]))[found]


async def homes(world: World) -> set[UUID | None]:
    async with world.db.read() as conn:
        return {row["account_id"] for row in await conn.fetch("select account_id from contacts")}


@pytest.mark.parametrize("first", [0, 1, 2])
async def test_every_id_and_name_leads_to_the_one_that_stays_whenever_it_is_heard(
    world: World, first: int
) -> None:
    told = [(ANNA, ACME), (BO, GROUP)]
    for number, (person, account) in enumerate(told):
        if number == first:
            await unite(world)
        await deliver(world, person, account, number)
    if first == len(told):
        await unite(world)
    stays = await company(world, "a1")
    for ref in ("a2", str(account_id("a2")), stays.name):
        assert (await company(world, ref)).id == stays.id
    assert (stays.tier, stays.owner) == ("key", GROUP["owner"]), "what one lacks the other gives"
    assert await homes(world) == {stays.id}
    await deliver(world, BO, GROUP, 9)
    assert await homes(world) == {stays.id}
    async with world.db.read() as conn:
        at = await conn.fetch("select distinct account_id from plans where state = 'pending'")
    assert [row["account_id"] for row in at] == [stays.id]


async def test_the_others_hear_who_is_gone_and_where_its_people_are(world: World) -> None:
    await deliver(world, ANNA, ACME, 1)
    await deliver(world, BO, GROUP, 2)
    await world.said(AccountChanged)
    await unite(world)
    stays, gone = str(account_id("a1")), str(account_id("a2"))
    newest = {told.account_id: told for told in await world.said(AccountChanged)}
    assert newest[gone].merged_into == stays
    assert newest[stays].merged_into is None
    assert newest[stays].owner == GROUP["owner"]
    assert {told.account_id for told in (await world.said(ContactChanged))[-1:]} == {stays}


async def test_what_was_asked_at_either_uses_up_the_budget_of_the_one(world: World) -> None:
    await deliver(world, BO, GROUP, 1)
    await world.later(hours=3)
    (first,) = await world.said(SurveyRequested)
    invited = DeliveryHandedOver(
        delivery_id="d1", version=1, survey_id=None, message_id=str(account_id("m1")), at=world.clock.now(),
        message_kind=MessageKind.INVITATION, channel=Channel.EMAIL, snapshot=first.snapshot,
    )  # fmt: skip
    await world.hear(invited)
    await deliver(world, ANNA, ACME, 2)
    await unite(world)
    async with world.db.read() as conn:
        for table in ("asks", "invitations"):
            assert await conn.fetchval(f"select distinct account_id from {table}") == account_id("a1")


async def test_a_brake_and_a_hold_of_either_are_on_the_one(blank_site: Site) -> None:
    world = blank_site.world
    await deliver(world, ANNA, ACME, 1)
    await deliver(world, BO, GROUP, 2)
    incident = {"kind": "incident", "id": "i1"}
    await world.tell("incident.opened", account=GROUP, subject=incident)
    async with await blank_site.with_key(Scope.BRAKE_WRITE) as client:
        await client.post("/v1/brake", json={"scope": "account", "subject": "a2"})
    await unite(world)
    stays = account_id("a1")
    async with world.db.read() as conn:
        assert (await brakes.brakes_now(conn)).accounts == {stays}
        assert [hold.account_id for hold in await brakes.holds_on(conn, [], [stays])] == [stays]
    assert (await company(world, "a1")).paused
    world.clock.advance(timedelta(minutes=5))
    await world.tell("incident.resolved", account=GROUP, subject=incident)
    async with await blank_site.with_key(Scope.BRAKE_WRITE) as client:
        await client.request("DELETE", "/v1/brake", params={"scope": "account", "subject": "a2"})
    async with world.db.read() as conn:
        assert await brakes.holds_on(conn, [], [stays]) == []
        assert (await brakes.brakes_now(conn)).accounts == set()


async def test_merges_in_a_chain_lead_to_the_last_and_unknown_ids_make_no_entry(world: World) -> None:
    await unite(world, "hubspot:1", "hubspot:2")
    assert await world.said(AccountChanged) == []
    for number, account in enumerate((ACME, GROUP, {"id": "hubspot:2", "name": "Acme AB"})):
        await deliver(world, ANNA, account, number)
    await unite(world, "a2", "hubspot:1")
    await unite(world, "a1", "a2")
    for ref in ("hubspot:1", "hubspot:2", "a2"):
        assert (await company(world, ref)).id == account_id("a1")
    async with world.db.read() as conn:
        leads = await conn.fetch("select distinct merged_into from accounts where merged_into is not null")
    assert [row["merged_into"] for row in leads] == [account_id("a1")]


async def test_a_merge_of_one_and_the_same_or_from_the_future_changes_nothing(world: World) -> None:
    await deliver(world, ANNA, ACME, 1)
    await deliver(world, BO, GROUP, 2)
    await unite(world, "a1", "a1")
    ahead = world.clock.now() + timedelta(hours=1)
    await world.tell("account.merged", accounts=[{"id": "a1"}, {"id": "a2"}], occurred_at=ahead)
    assert (await company(world, "a1")).id != (await company(world, "a2")).id


async def test_merging_by_the_api_and_why_shows_all_ids(blank_site: Site) -> None:
    world = blank_site.world
    await deliver(world, ANNA, ACME, 1)
    await deliver(world, BO, GROUP, 2)
    async with await blank_site.with_key(
        Scope.ACCOUNTS_READ, Scope.ACCOUNTS_WRITE, Scope.DECISIONS_READ
    ) as client:
        done = (await client.post("/v1/accounts/a1/merge", json={"other": "Acme Group"})).json()
        assert (done["account_id"], done["merged"]) == (str(account_id("a1")), [str(account_id("a2"))])
        assert (done["people"], done["called_off"]) == (1, 0)
        assert (await client.post("/v1/accounts/a1/merge", json={"other": "a2"})).json()["merged"] == []
        missing = await client.post("/v1/accounts/a1/merge", json={"other": "nobody"})
        assert (missing.status_code, missing.json()["field"]) == (404, "other")
        listed = (await client.get("/v1/accounts")).json()["accounts"]
        assert [one["external_id"] for one in listed] == ["a1"]
        await client.put("/v1/accounts/a2", json={"name": "Acme"})
        told = (await client.get("/v1/decisions", params={"account": "a2"})).json()["decisions"]
    assert any("one company" in line["sentence"] for line in told)
    assert sum(line["outcome"] == "planned" for line in told) == 2
    lines = [e.decision for e in await world.ledger() if str(e.decision.reason) == "merged"]
    assert str(lines[0].inputs["by_whom"]).startswith("key:"), "nobody's name"


async def test_an_operator_merges_on_the_page_of_a_company(blank_site: Site) -> None:
    world = blank_site.world
    await deliver(world, ANNA, ACME, 1)
    await deliver(world, BO, GROUP, 2)
    stays, gone = account_id("a1"), account_id("a2")
    async with await blank_site.signed_in(Role.REP) as client:
        assert "Merge it into this one" not in (await client.get(f"/directory/accounts/{stays}")).text
    async with await blank_site.signed_in(Role.MANAGER) as client:
        form = f"/directory/accounts/{stays}/merge"
        for typed, wrong in (
            ("nobody", "No other account is known by that."),
            ("a1", "That is this account itself."),
        ):
            refused = await client.post(form, data={"other": typed})
            assert (refused.status_code, wrong in refused.text) == (422, True)
            assert f'value="{typed}"' in refused.text, "nothing is typed twice"
        assert (await client.post(form, data={"other": "a2"})).status_code == 303
        moved = await client.get(f"/directory/accounts/{gone}")
        assert moved.headers["location"] == f"/directory/accounts/{stays}"
        shown = (await client.get(f"/directory/accounts/{stays}")).text
        assert "Merged into it" in shown
        assert "bo@kund.example" in shown
        assert "merged by Some manager" in (await client.get("/why", params={"q": "a1"})).text
