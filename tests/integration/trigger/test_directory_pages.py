"""The directory's pages: find somebody, see what they said, decide about duplicates and missed changes."""

from __future__ import annotations

from uuid import UUID

import pytest

from services.trigger.domain.reports import Missed
from services.trigger.handlers.people import find_contact
from services.trigger.store import missed
from shared.security.roles import Role
from tests.support.trigger import Site, World

ACME = {"id": "a1", "name": "Acme"}
ANNA = {"id": "c1", "email": "anna@kund.example", "name": "Anna Berg"}
TWIN = {"id": "c2", "email": "a.berg@kund.example", "name": "A. Berg"}
pytestmark = pytest.mark.requirement("R44")


@pytest.fixture
async def site(blank_site: Site) -> Site:
    world = blank_site.world
    for number, person in enumerate((ANNA, TWIN, {**TWIN, "email": ANNA["email"]})):
        order = {"kind": "order", "id": f"o{number}"}
        await world.tell("order.delivered", contact={**person, "consent": True}, account=ACME, subject=order)
    return blank_site


async def id_of(world: World, ref: str) -> str:
    async with world.db.read() as conn:
        return str(await find_contact(conn, world.sealer, ref))


async def test_somebody_is_found_by_what_was_typed(site: Site) -> None:
    who = await id_of(site.world, "c1")
    async with await site.signed_in(Role.REP) as client:
        for text, path in (
            ("anna@kund.example", f"/directory/contacts/{who}"),
            ("Acme", "/directory/accounts/"),
        ):
            found = await client.get("/directory", params={"q": text})
            assert found.status_code == 303
            assert found.headers["location"].startswith(path)
        assert "Nothing is known by that" in (await client.get("/directory", params={"q": "x"})).text
        page = (await client.get(f"/directory/contacts/{who}")).text
        assert "Anna Berg" in page
        assert "Agreed" in page
        assert "does not say when" in page
        assert "<strong>Delivery</strong>" in page
        account = (await client.get("/directory", params={"q": "Acme"})).headers["location"]
        company = (await client.get(account)).text
        planned = company.partition('id="planned"')[2].partition('id="asked"')[0]
        assert f'<a href="/directory/contacts/{who}">Anna Berg</a>' in planned, (
            "one sees whom it is planned for"
        )
        for path in ("contacts", "accounts"):
            assert (await client.get(f"/directory/{path}/{UUID(int=7)}")).status_code == 404
            assert (await client.get(f"/directory/{path}/x")).status_code == 422
    async with await site.signed_in(Role.VIEWER) as client:
        assert (await client.get("/directory")).status_code == 403


async def test_an_operator_decides_about_two_with_one_address(site: Site) -> None:
    one, other = await id_of(site.world, "c1"), await id_of(site.world, "c2")
    async with await site.signed_in(Role.REP) as client:
        assert "Perhaps one person" in (await client.get("/directory")).text
        assert "1 pairs" in (await client.get("/settings")).text
        form = {"stays": one, "other": other}
        assert (await client.post("/directory/duplicates/merge", data=form)).status_code == 403
    async with await site.signed_in(Role.MANAGER) as client:
        assert "Merge, keep this one" in (await client.get("/directory")).text
        for wrong in ({"stays": one, "other": one}, {"stays": one}, {"stays": "x", "other": one}):
            assert (await client.post("/directory/duplicates/merge", data=wrong)).status_code == 422
        done = await client.post("/directory/duplicates/merge", data=form)
        assert done.headers["location"] == f"/directory/contacts/{one}"
        moved = await client.get(f"/directory/contacts/{other}")
        assert moved.headers["location"] == f"/directory/contacts/{one}"
        assert "Known under another id before" in (await client.get(f"/directory/contacts/{one}")).text
        assert "Nobody is suspected" in (await client.get("/directory")).text


async def test_two_people_stay_two(site: Site) -> None:
    one, other = await id_of(site.world, "c1"), await id_of(site.world, "c2")
    async with await site.signed_in(Role.MANAGER) as client:
        form = {"stays": one, "other": other}
        assert (await client.post("/directory/duplicates/apart", data=form)).status_code == 303
        assert "Nobody is suspected" in (await client.get("/directory")).text
    assert await id_of(site.world, "c1") != await id_of(site.world, "c2")


async def test_a_missed_change_is_shown_until_it_was_looked_up(site: Site) -> None:
    world = site.world
    async with world.db.begin() as tx:
        told = Missed("/sources/crm", "Contact", "003A", "update", tx.now)
        await missed.note(tx.conn, [told], tx.now)
    async with await site.signed_in(Role.MANAGER) as client:
        assert "003A" in (await client.get("/directory")).text
        form = {"source": "/sources/crm", "entity": "Contact", "record": "003A"}
        assert (await client.post("/directory/missed", data=form)).status_code == 303
        assert "003A" not in (await client.get("/directory")).text
