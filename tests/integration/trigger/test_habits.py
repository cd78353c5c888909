"""Heavy use and help sought, spotted in sums once a day (R93)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.trigger.domain.candidates import Spotted
from services.trigger.store import habits
from services.trigger.worker.learning import Learning
from shared.runtime.clock import FixedClock
from shared.security.roles import Role, Scope
from tests.support.trigger import Site, World

pytestmark = pytest.mark.requirement("R93")


async def uses(world: World, who: int, times: int) -> None:
    for _ in range(times):
        person = {"id": f"c{who}", "email": f"p{who}@kund.example"}
        await world.tell("product.used", contact=person, account={"id": f"a{who % 2}"}, product="CRM")


async def spotted(world: World) -> dict[str, Spotted]:
    await Learning(world.db).run()
    async with world.db.read() as conn:
        found = await habits.spotted(conn, world.clock.now().date())
    return {one.habit: one for one in found}


def monday(clock: FixedClock) -> None:
    """The week begins."""
    now = clock.now()
    clock.set(now + timedelta(days=7 - now.weekday()))


async def test_a_week_of_far_more_use_than_usual_is_spotted(world: World, blank_site: Site) -> None:
    monday(world.clock)
    for week in range(5):
        for who in range(5):
            surge = week == 4 and who < 3
            await uses(world, who, 8 if surge else 1)
        world.clock.advance(timedelta(days=7))
        if week == 3:
            assert await spotted(world) == {}
    found = (await spotted(world))["use:CRM"]
    assert (found.people, found.accounts, found.of_people) == (3, 2, 5)
    assert (found.days, found.times, found.usual) == (28, 12, 1.0)
    async with await blank_site.with_key(Scope.PROGRAMMES_READ) as client:
        (one,) = (await client.get("/v1/moments/candidates")).json()["candidates"]
    assert (one["key"], one["asked_by"]) == ("heavy-use-crm", "")
    world.clock.advance(timedelta(days=80))
    assert await spotted(world) == {}


async def test_a_new_customer_who_uses_it_at_last_does_not_stand_out(world: World) -> None:
    monday(world.clock)
    for who in range(4):
        await uses(world, who, 1)
    world.clock.advance(timedelta(days=14))
    for who in range(4):
        await uses(world, who, 9)
    world.clock.advance(timedelta(days=7))
    assert await spotted(world) == {}


async def test_help_sought_three_times_in_two_weeks_is_spotted(world: World) -> None:
    for day in (0, 3, 13):
        for who in range(3):
            person = {"id": f"c{who}", "email": f"p{who}@kund.example"}
            at = world.clock.now() + timedelta(days=day + (who == 2 and day == 13)) - timedelta(days=20)
            await world.tell("support_ticket.opened", contact=person, account={"id": "a1"}, occurred_at=at)
    found = (await spotted(world))["help"]
    assert (found.people, found.accounts, found.of_people) == (2, 1, 3), "14 days later is too late"
    assert (found.days, found.times) == (13, 3)


async def test_contracts_that_renew_soon_are_offered_and_the_erased_are_forgotten(world: World) -> None:
    soon = (world.clock.now() + timedelta(days=80)).date()
    for who in range(3):
        person = {"id": f"c{who}", "email": f"p{who}@kund.example"}
        told: dict[str, Any] = {
            "contact": person,
            "account": {"id": f"a{who}", "renewal_on": soon.isoformat()},
        }
        await world.tell("contract.renewal_date_set", renewal_on=soon, **told)
    await uses(world, 0, 1)
    found = (await spotted(world))["renewal"]
    assert (found.people, found.accounts) == (3, 3)
    twice = [{"id": "c2"}, {"id": "c2-again", "email": "again@kund.example"}]
    await world.tell("contact.updated", contact=twice[1], account={"id": "a2"})
    assert (await spotted(world))["renewal"].people == 4
    await world.tell("contact.merged", contacts=twice)
    assert (await spotted(world))["renewal"].people == 3, "who was merged is one person"
    await world.tell("contact.deleted", contact={"id": "c0"})
    async with world.db.read() as conn:
        assert await conn.fetchval("select count(*) from habits") == 0


async def sought(world: World) -> None:
    """Three people seek help three times."""
    for who in range(3):
        for _ in range(3):
            person = {"id": f"c{who}", "email": f"p{who}@kund.example"}
            await world.tell("support.contacted", contact=person, account={"id": "a1"})
    await Learning(world.db).run()


PATH = "/v1/moments/candidates/help-sought-again/set-aside"


async def test_a_program_sets_a_moment_aside_and_takes_it_back(world: World, blank_site: Site) -> None:
    await sought(world)

    async def standing() -> bool:
        (one,) = (await client.get("/v1/moments/candidates")).json()["candidates"]
        return one["set_aside"] is not None

    async with await blank_site.with_key(Scope.PROGRAMMES_READ, Scope.PROGRAMMES_WRITE) as client:
        assert not await standing()
        for _ in range(2):
            assert (await client.put(PATH)).status_code == 204
            assert await standing()
        assert (await client.delete(PATH)).status_code == 204
        assert not await standing()
        unknown = await client.put(PATH.replace("help-sought-again", "nonsense"))
        assert (unknown.status_code, unknown.json()["field"]) == (404, "key")
    async with await blank_site.with_key(Scope.PROGRAMMES_READ) as reader:
        assert (await reader.put(PATH)).status_code == 403


async def test_an_operator_takes_the_programme_of_a_moment_or_sets_it_aside(
    world: World, blank_site: Site
) -> None:
    await sought(world)
    page, key = "/programmes/moments", {"key": "help-sought-again"}
    async with await blank_site.signed_in(Role.MANAGER) as client:
        file = await client.get(f"{page}/help-sought-again/programme")
        assert file.text.startswith("key: help-sought-again")
        assert file.headers["content-disposition"] == 'attachment; filename="help-sought-again.yaml"'
        assert (await client.post(f"{page}/set-aside", data=key)).status_code == 303
        aside = (await client.get(page)).text
        assert "Nothing stands out" in aside
        assert "Some manager" in aside
        assert (await client.post(f"{page}/offer-again", data=key)).status_code == 303
        assert "Nothing stands out" not in (await client.get(page)).text
        assert (await client.post(f"{page}/set-aside", data={"key": "nonsense"})).status_code == 404
        assert (await client.get(f"{page}/nonsense/programme")).status_code == 404
    async with await blank_site.signed_in(Role.VIEWER) as client:
        assert "Set aside" not in (await client.get(page)).text
        assert (await client.post(f"{page}/set-aside", data=key)).status_code == 403
