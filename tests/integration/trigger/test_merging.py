"""Two entries of one person become one, whoever says so and in whatever order it is heard."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.trigger.domain.model import Contact, PlanState
from services.trigger.handlers.erasure import erase
from services.trigger.handlers.people import find_contact
from services.trigger.store import directory, ledger
from services.trigger.store.plans import COLUMNS
from services.trigger.store.rows import plan_of
from shared.contracts.deliveries import BounceKind, ContactUnsubscribed, DeliveryBounced, UnsubscribeScope
from shared.contracts.directory import ContactChanged, ContactErased
from shared.contracts.model import Channel
from shared.contracts.surveys import SurveyRequested
from shared.security.roles import Role, Scope
from tests.support.trigger import Site, World

ACME = {"id": "a1", "name": "Acme"}
ANNA = {"id": "c1", "email": "anna@kund.example", "zone": "Europe/Stockholm"}
TWIN = {"id": "c2", "email": "anna.berg@kund.example", "zone": "Europe/Stockholm"}
pytestmark = pytest.mark.requirement("R53")


async def deliver(world: World, who: dict[str, str], number: int) -> str:
    order = {"kind": "order", "id": f"o{number}"}
    return await world.tell("order.delivered", contact=who, account=ACME, subject=order)


async def unite(world: World, stays: str = "c1", other: str = "c2") -> str:
    return await world.tell("contact.merged", contacts=[{"id": stays}, {"id": other}])


async def who(world: World, ref: str) -> Contact:
    async with world.db.read() as conn:
        found = await find_contact(conn, world.sealer, ref)
        assert found is not None, ref
        return (await directory.get_contacts(conn, [found]))[found]


async def states(world: World) -> list[str]:
    async with world.db.read() as conn:
        return [plan_of(row).state for row in await conn.fetch(f"select {COLUMNS} from plans order by state")]


async def asked(world: World) -> list[SurveyRequested]:
    return await world.said(SurveyRequested)


async def test_every_id_and_address_of_either_finds_the_one_who_stays(world: World) -> None:
    await deliver(world, ANNA, 1)
    await deliver(world, TWIN, 2)
    former = (await who(world, "c2")).id
    await unite(world)
    stays = await who(world, "c1")
    for ref in ("c2", "anna@kund.example", "anna.berg@kund.example", str(former)):
        assert (await who(world, ref)).id == stays.id
    await deliver(world, TWIN, 3)
    await deliver(world, {"id": "", "email": TWIN["email"]}, 4)
    async with world.db.read() as conn:
        assert await conn.fetchval("select count(*) from contacts") == 2
        assert await conn.fetchval("select count(distinct contact_id) from plans") == 1


async def test_what_was_asked_of_either_counts_for_the_one(world: World) -> None:
    await deliver(world, TWIN, 1)
    await world.later(hours=2)
    assert len(await asked(world)) == 1
    await deliver(world, ANNA, 2)
    await unite(world)
    await world.later(hours=3)
    assert len(await asked(world)) == 1, "the quarantine of the other holds"
    assert (await world.books()).suppressed == {"quarantined": 1}


@pytest.mark.parametrize("first", [0, 1, 2, 3])
async def test_nothing_is_asked_twice_whenever_the_merge_is_heard(world: World, first: int) -> None:
    """One delivery that two systems tell about two entries of the person, and a merge somewhere between."""
    told = [(ANNA, 1), (TWIN, 1), (ANNA, 1)]
    for number, (person, order) in enumerate(told):
        if number == first:
            await unite(world)
        await deliver(world, person, order)
    if first == len(told):
        await unite(world)
    await world.later(hours=3)
    assert len(await asked(world)) == 1
    books = await world.books()
    assert (books.requested, books.pending) == (1, 0)


async def test_a_plan_for_something_asked_already_is_called_off(world: World) -> None:
    await deliver(world, ANNA, 1)
    await world.later(hours=3)
    await deliver(world, TWIN, 1)
    event = await unite(world)
    assert await states(world) == [PlanState.CANCELLED, PlanState.REQUESTED]
    lines = [(e.decision.outcome, e.decision.reason) for e in await world.ledger(event_ids=(event,))]
    assert ("cancelled", "merged") in lines
    assert ("not_matched", "merged") in lines


async def test_an_opt_out_of_either_holds_for_both(world: World) -> None:
    await deliver(world, ANNA, 1)
    await deliver(world, TWIN, 2)
    opted_out = await who(world, "c2")
    gone = ContactUnsubscribed(
        contact_id=str(opted_out.id), scope=UnsubscribeScope.ALL, at=world.clock.now(), via="link"
    )
    await world.hear(gone)
    await unite(world)
    stays = await who(world, "c1")
    assert stays.opted_out_at == world.clock.now()
    told = [t for t in await world.said(ContactChanged) if t.contact_id == str(stays.id)]
    assert told[-1].opted_out
    await world.later(hours=3)
    assert await asked(world) == []


async def test_what_is_heard_of_a_former_id_later_is_about_the_one_who_stays(world: World) -> None:
    await deliver(world, TWIN, 1)
    await world.later(hours=3)
    (survey,) = await asked(world)
    await deliver(world, ANNA, 2)
    await unite(world)
    bounced = DeliveryBounced(
        delivery_id="d1", version=1, survey_id=survey.survey_id, channel=Channel.EMAIL,
        snapshot=survey.snapshot, at=world.clock.now(), kind=BounceKind.HARD, detail="no such box",
    )  # fmt: skip
    await world.hear(bounced)
    assert (await who(world, "c1")).bounced_at is None, "it was the other address that came back"
    stop = ContactUnsubscribed(
        contact_id=survey.snapshot.contact_id,
        scope=UnsubscribeScope.PROGRAMME,
        programme="delivery-csat",
        at=world.clock.now(),
    )
    await world.hear(stop)
    assert (await who(world, "c1")).opted_out_of == ("delivery-csat",)


async def test_erasing_one_erases_under_all_ids(world: World) -> None:
    await deliver(world, ANNA, 1)
    await deliver(world, TWIN, 2)
    former = (await who(world, "c2")).id
    await unite(world)
    stays = (await who(world, "c1")).id
    async with world.db.begin() as tx:
        assert await erase(tx, world.sealer, [stays]) == 2
    told = {UUID(t.contact_id) for t in await world.said(ContactErased)}
    assert told == {stays, former}
    await deliver(world, TWIN, 3)
    await world.later(hours=3)
    assert await asked(world) == []


async def test_somebody_erased_under_one_id_is_not_asked_under_another(world: World) -> None:
    await deliver(world, ANNA, 1)
    await deliver(world, TWIN, 2)
    async with world.db.begin() as tx:
        await erase(tx, world.sealer, [(await who(world, "c2")).id])
    await unite(world)
    stays = await who(world, "c1")
    assert stays.erased_at is None
    assert stays.opted_out_at is not None


async def test_an_id_that_nobody_knew_leads_to_the_known_one(world: World) -> None:
    await deliver(world, ANNA, 1)
    await unite(world, "hubspot:new", "c1")
    assert (await who(world, "hubspot:new")).id == (await who(world, "anna@kund.example")).id


async def test_a_merge_of_ids_by_which_nobody_is_known_makes_no_entry(blank_site: Site) -> None:
    world = blank_site.world
    event = await unite(world, "hubspot:1", "hubspot:2")
    assert await world.said(ContactChanged) == []
    told = [(e.decision.outcome, e.decision.reason) for e in await world.ledger(event_ids=(event,))]
    assert ("not_matched", "unknown_contact") in told
    assert ("not_matched", "merged") not in told
    async with await blank_site.with_key(Scope.CONTACTS_READ) as client:
        assert (await client.get("/v1/contacts")).json()["contacts"] == []
        assert (await client.get("/v1/contacts/hubspot:1")).status_code == 404
    async with await blank_site.signed_in(Role.REP) as client:
        why = (await client.get("/why?q=hubspot:2")).text
    assert "nobody is known by it" in why
    assert "erased" not in why


async def test_ids_that_were_merged_before_anybody_was_known_are_one_person_later(world: World) -> None:
    await unite(world, "hubspot:1", "hubspot:2")
    await unite(world, "hubspot:2", "hubspot:3")
    await deliver(world, {"id": "hubspot:3", "email": "anna@kund.example"}, 1)
    await deliver(world, {"id": "hubspot:1", "email": "anna@kund.example"}, 2)
    assert len({(await who(world, f"hubspot:{number}")).id for number in (1, 2, 3)}) == 1
    told = await world.said(ContactChanged)
    assert {one.contact_id for one in told} == {str((await who(world, "hubspot:1")).id)}
    assert (await who(world, "hubspot:2")).version == 1


async def test_an_unknown_id_that_is_merged_into_somebody_is_not_announced(world: World) -> None:
    await deliver(world, ANNA, 1)
    await world.said(ContactChanged)
    await unite(world, "c1", "hubspot:9")
    assert {told.contact_id for told in await world.said(ContactChanged)} <= {
        str((await who(world, "c1")).id)
    }
    assert (await who(world, "hubspot:9")).id == (await who(world, "c1")).id


async def test_a_merge_that_tells_an_address_makes_the_person_known(world: World) -> None:
    people = [{"id": "x1", "email": "anna@kund.example"}, {"id": "x2"}]
    await world.tell("contact.merged", contacts=people)
    assert (await who(world, "x2")).version == 1
    assert (await who(world, "anna@kund.example")).id == (await who(world, "x2")).id


async def test_whoever_was_known_by_an_id_alone_is_whose_address_they_get(world: World) -> None:
    await deliver(world, ANNA, 1)
    await deliver(world, {"id": "c9"}, 2)
    await deliver(world, {"id": "c9", "email": ANNA["email"]}, 3)
    assert (await who(world, "c9")).id == (await who(world, "c1")).id


async def test_two_with_one_address_are_suspected_and_not_merged(world: World) -> None:
    await deliver(world, ANNA, 1)
    await deliver(world, TWIN, 2)
    for number in (3, 4):
        await deliver(world, {**TWIN, "email": ANNA["email"]}, number)
    one, other = (await who(world, "c1")).id, (await who(world, "c2")).id
    assert one != other
    async with world.db.read() as conn:
        rows = await conn.fetch("select one, other, why, state from suspected")
    assert [tuple(row) for row in rows] == [(min(one, other), max(one, other), "email", "open")]


async def test_merges_in_a_chain_lead_to_the_last(world: World) -> None:
    for number, person in enumerate((ANNA, TWIN, {"id": "c3", "email": "a.b@kund.example"})):
        await deliver(world, person, number)
    await unite(world, "c2", "c3")
    await unite(world, "c1", "c2")
    assert (await who(world, "c3")).id == (await who(world, "c1")).id
    async with world.db.read() as conn:
        leads = await conn.fetch("select distinct merged_into from contacts where merged_into is not null")
    assert [row["merged_into"] for row in leads] == [(await who(world, "c1")).id]


async def test_a_merge_of_one_and_the_same_or_from_the_future_changes_nothing(world: World) -> None:
    await deliver(world, ANNA, 1)
    await deliver(world, TWIN, 2)
    await unite(world, "c1", "c1")
    ahead = world.clock.now() + timedelta(hours=1)
    await world.tell("contact.merged", contacts=[{"id": "c1"}, {"id": "c2"}], occurred_at=ahead)
    assert (await who(world, "c1")).id != (await who(world, "c2")).id


async def test_merges_and_events_at_once_end_with_one_person(world: World) -> None:
    for number in range(6):
        await deliver(world, {"id": f"p{number}", "email": f"p{number}@kund.example"}, number)

    async def merges() -> None:
        for number in range(1, 6):
            await world.tell("contact.merged", contacts=[{"id": "p0"}, {"id": f"p{number}"}])

    async def events() -> None:
        for number in range(6):
            told = {"id": f"p{number}", "email": f"p{number}@kund.example"}
            await deliver(world, told, number)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(merges())
        tasks.create_task(events())
    await world.later(hours=3)
    assert len(await asked(world)) == 1
    async with world.db.read() as conn:
        assert await conn.fetchval("select count(*) from contacts where merged_into is null") == 1
        assert await conn.fetchval("select count(distinct contact_id) from plans") == 1
    await world.books()


async def test_why_shows_what_was_decided_under_all_ids(blank_site: Site) -> None:
    world = blank_site.world
    await deliver(world, TWIN, 1)
    await unite(world)
    async with await blank_site.with_key(Scope.DECISIONS_READ) as client:
        told = (await client.get("/v1/decisions", params={"contact": "c1"})).json()["decisions"]
    assert {line["outcome"] for line in told} >= {"planned", "not_matched"}
    assert any("one person" in line["sentence"] for line in told)
    async with await blank_site.signed_in(Role.REP) as client:
        assert "one person" in (await client.get("/why", params={"q": "c2"})).text


async def test_merging_by_the_api(blank_site: Site) -> None:
    world = blank_site.world
    await deliver(world, ANNA, 1)
    await deliver(world, TWIN, 1)
    await deliver(world, {**TWIN, "email": ANNA["email"]}, 2)
    async with await blank_site.with_key(Scope.CONTACTS_READ, Scope.CONTACTS_WRITE) as client:
        (pair,) = (await client.get("/v1/contacts/duplicates")).json()
        done = (await client.post("/v1/contacts/c1/merge", json={"other": "c2"})).json()
        assert (len(done["merged"]), done["called_off"]) == (1, 1)
        assert {pair["one"], pair["other"]} == {done["contact_id"], *done["merged"]}
        assert (await client.get("/v1/contacts/duplicates")).json() == []
        again = (await client.post("/v1/contacts/c1/merge", json={"other": "c2"})).json()
        assert again["merged"] == []
        missing = await client.post("/v1/contacts/c1/merge", json={"other": "nobody"})
        assert missing.status_code == 404
    entries = [e for e in await world.ledger() if str(e.decision.reason) == "merged"]
    (by,) = [e.decision.inputs.get("by_whom") for e in entries if e.decision.outcome == "not_matched"]
    assert str(by).startswith("key:"), "nobody's name"


async def test_the_ledger_keeps_no_operators_name_and_a_rep_reads_it_all_the_same(blank_site: Site) -> None:
    world = blank_site.world
    await deliver(world, ANNA, 1)
    await deliver(world, TWIN, 1)
    ids = [str((await who(world, ref)).id) for ref in ("c1", "c2")]
    async with await blank_site.signed_in(Role.MANAGER) as client:
        form = {"stays": ids[0], "other": ids[1]}
        await client.post("/directory/duplicates/merge", data=form)
        shown = (await client.get("/why", params={"q": "c1"})).text
    async with world.db.read() as conn:
        by = await conn.fetchval("select inputs ->> 'by_whom' from decisions where inputs ? 'by_whom'")
    assert by.startswith("user:")
    assert "merged by Some manager" in shown


async def test_two_people_who_share_an_address_are_told_apart_for_good(blank_site: Site) -> None:
    world = blank_site.world
    await deliver(world, ANNA, 1)
    await deliver(world, TWIN, 2)
    shared: dict[str, Any] = {**TWIN, "email": ANNA["email"]}
    await deliver(world, shared, 3)
    async with await blank_site.with_key(Scope.CONTACTS_READ, Scope.CONTACTS_WRITE) as client:
        (pair,) = (await client.get("/v1/contacts/duplicates")).json()
        path = f"/v1/contacts/duplicates/{pair['other']}/{pair['one']}"
        assert (await client.delete(path)).status_code == 204
        assert (await client.delete(path)).status_code == 404
        await deliver(world, shared, 4)
        assert (await client.get("/v1/contacts/duplicates")).json() == []


async def test_the_ledger_reads_several_ids(world: World) -> None:
    await deliver(world, ANNA, 1)
    await deliver(world, TWIN, 2)
    ids = [(await who(world, ref)).id for ref in ("c1", "c2")]
    async with world.db.read() as conn:
        found = await ledger.read(conn, ledger.Question(contact_ids=tuple(ids)))
    assert {entry.decision.contact_id for entry in found} == set(ids)
