"""A place of an account's budget is kept for the decision maker who comes due later, on a real database."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.trigger.domain.explain import sentence
from services.trigger.store import plans
from services.trigger.worker.due import DuePlans
from shared.contracts.deliveries import ContactUnsubscribed, UnsubscribeScope
from shared.contracts.model import Persona
from shared.contracts.surveys import SurveyRequested
from tests.support.databases import OpenDatabase
from tests.support.trigger import World

pytestmark = pytest.mark.requirement("R59", "R62")
PROGRAMMES: list[dict[str, Any]] = [
    {"key": "small", "priority": 10, "quarantine": {"contact": "5d"},
     "when": {"touchpoint": "order.delivered", "per": "order", "delay": "0h", "fresh_for": "3d"}},
    {"key": "council", "quarantine": {"contact": "5d", "account": {"max": 3, "per": "30d"}},
     "audience": {"who": "account", "coverage": {"decision_maker": 1, "user": 1}},
     "when": {"touchpoint": "project.completed", "per": "project", "delay": "0h", "fresh_for": "10d"}},
    {"key": "members", "quarantine": {"contact": "1d", "account": {"max": 2, "per": "30d"}},
     "audience": {"who": "project", "role": ["member"], "coverage": {"decision_maker": 1, "user": 1}},
     "when": {"touchpoint": "project.reviewed", "per": "project", "delay": "72h", "fresh_for": "10d"}},
    {"key": "release", "priority": 60, "quarantine": {"contact": "5d", "account": {"max": 2, "per": "30d"}},
     "audience": {"who": "product", "coverage": {"decision_maker": 1, "user": 1}},
     "when": {"touchpoint": "release.shipped", "per": "product", "delay": "72h", "fresh_for": "10d"}},
]  # fmt: skip


@pytest.fixture
def world(own_world: World) -> World:
    return own_world


def person(account: int, number: int) -> dict[str, str]:
    """The first of an account decides there, the others use it."""
    return {
        "id": f"c{account}-{number}", "email": f"p{number}@kund{account}.example",
        "persona": "user" if number else "decision_maker",
    }  # fmt: skip


async def asked(world: World, programme: str = "council") -> list[SurveyRequested]:
    return [one for one in await world.said(SurveyRequested) if one.snapshot.programme == programme]


async def council(world: World, accounts: int = 1) -> None:
    """Decision makers were asked something small two days before the council comes due at their accounts."""
    companies = [{"id": f"a{number}", "name": f"Kund {number}"} for number in range(accounts)]
    for number, company in enumerate(companies):
        for who in range(4):
            await world.tell("contact.updated", contact=person(number, who), account=company)
        order = {"kind": "order", "id": f"o{number}"}
        await world.tell("order.delivered", contact=person(number, 0), account=company, subject=order)
    await world.due()
    await world.later(days=2)
    for number, company in enumerate(companies):
        await world.tell(
            "project.completed", account=company, subject={"kind": "project", "id": f"p{number}"}
        )


async def test_the_last_place_waits_for_the_decision_maker_and_the_ledger_says_so(world: World) -> None:
    await council(world)
    await world.due()
    assert [one.snapshot.persona for one in await asked(world)] == [Persona.USER]
    kept = [e.decision for e in await world.ledger() if e.decision.reason == "place_kept"]
    assert len(kept) == 2
    assert "a place is kept for a decision maker of this account" in sentence(kept[0])
    await world.until(world.clock.now() + timedelta(days=4))
    assert [one.snapshot.persona for one in await asked(world)] == [Persona.USER, Persona.DECISION_MAKER]
    await world.until(world.clock.now() + timedelta(days=12))
    assert (await world.books()).suppressed == {"account_budget": 2}


@pytest.mark.parametrize("how", ["opted out", "erased", "no decision maker any more", "opted out by event"])
async def test_a_place_that_is_kept_in_vain_is_given_back_at_once(world: World, how: str) -> None:
    await council(world)
    await world.due()
    head, company = person(0, 0), {"id": "a0", "name": "Kund 0"}
    match how:
        case "opted out":
            small = (await asked(world, "small"))[0]
            await world.hear(
                ContactUnsubscribed(
                    contact_id=small.snapshot.contact_id, scope=UnsubscribeScope.ALL,
                    at=world.clock.now(), via="page",
                )
            )  # fmt: skip
        case "erased":
            await world.tell("contact.deleted", contact={"id": head["id"]})
        case "opted out by event":
            await world.tell("contact.updated", contact={**head, "consent": False}, account=company)
        case _:
            await world.tell("contact.updated", contact={**head, "persona": "user"}, account=company)
    await world.due()
    # The small question of whoever is erased had not left yet: its place is free too.
    assert len(await asked(world)) == (3 if how == "erased" else 2), "the next user has the place"


async def test_two_instances_at_once_keep_every_place_and_exceed_no_budget(
    world: World, database: OpenDatabase
) -> None:
    accounts = 6
    await council(world, accounts)
    instances = [DuePlans(db, world.sealer.blind) for db in (world.db, await database("trigger"))]
    for _ in range(6):
        while True:
            async with asyncio.TaskGroup() as tasks:
                rounds = [tasks.create_task(one.run()) for one in instances]
            if not any(one.result() for one in rounds):
                break
        # Each may have left to the other what both were looking at.
        while await instances[0].run():
            pass
        world.clock.advance(timedelta(days=1))
    surveys = await asked(world)
    per_account = Counter(one.snapshot.account_id for one in surveys)
    assert set(per_account.values()) == {2}, "with the small question that is the whole budget"
    bosses = Counter(s.snapshot.account_id for s in surveys if s.snapshot.persona is Persona.DECISION_MAKER)
    assert set(bosses.values()) == {1}
    assert len(bosses) == accounts


async def takes_part(world: World, programme: str, who: int, what: str) -> None:
    """Somebody is named as a member of a project, or uses a product; their company is known already."""
    if programme == "members":
        member, project = {"id": f"c0-{who}", "role": "member"}, {"kind": "project", "id": what}
        await world.tell("project.started", contact=member, subject=project)
    else:
        await world.tell("product.used", contact={"id": f"c0-{who}"}, product=what)


async def comes_to_an_end(world: World, programme: str, what: str) -> None:
    """A project of the company is reviewed; a product is released, to nobody in particular."""
    if programme == "members":
        project = {"kind": "project", "id": what}
        await world.tell("project.reviewed", account={"id": "a0"}, subject=project)
    else:
        await world.tell("release.shipped", product=what)


@pytest.mark.parametrize("programme", ["members", "release"])
async def test_who_takes_part_in_what_comes_due_later_is_awaited_too(world: World, programme: str) -> None:
    """Two users are asked about one thing; the decision maker about another, two days later."""
    company = {"id": "a0", "name": "Kund 0"}
    for who in range(4):
        await world.tell("contact.updated", contact=person(0, who), account=company)
    for who, what in ((1, "first"), (2, "first"), (0, "second")):
        await takes_part(world, programme, who, what)
    await comes_to_an_end(world, programme, "first")
    await world.later(days=2)
    await comes_to_an_end(world, programme, "second")
    await world.until(world.clock.now() + timedelta(days=1, hours=1))
    assert [one.snapshot.persona for one in await asked(world, programme)] == [Persona.USER]
    kept = [e.decision for e in await world.ledger() if e.decision.reason == "place_kept"]
    assert len(kept) >= 1
    await world.until(world.clock.now() + timedelta(days=3))
    personas = [one.snapshot.persona for one in await asked(world, programme)]
    assert personas == [Persona.USER, Persona.DECISION_MAKER]


async def test_an_audience_of_no_account_goes_first_with_those_whom_it_will_mean(world: World) -> None:
    """A small question waits for a release that is asked about in two days, of its users alone."""
    for account, who in ((0, 1), (1, 1)):
        company = {"id": f"a{account}", "name": f"Kund {account}"}
        await world.tell("contact.updated", contact=person(account, who), account=company)
    await takes_part(world, "release", 1, "crm")
    await world.tell("release.shipped", product="crm")
    await world.later(days=1)
    for account in range(2):
        order = {"kind": "order", "id": f"o{account}"}
        await world.tell("order.delivered", contact=person(account, 1), subject=order)
    await world.due()
    (small,) = await asked(world, "small")
    waiting = [e.decision for e in await world.ledger() if e.decision.reason == "outranked"]
    assert [str(one.account_id) != small.snapshot.account_id for one in waiting] == [True]
    await world.later(days=2)
    (release,) = await asked(world, "release")
    assert release.snapshot.contact_id == str(waiting[0].contact_id)


_MANY = """
insert into plans (id, programme, version, subject, occurrence, account_id, moment, first_due_at, due_at,
    stale_at, state, priority, event_id)
select gen_random_uuid(), 'council', 'v', n::text, 1, md5((n / 4)::text)::uuid, '{}', at, at, at,
    'pending', 50, ''
from generate_series(1, 20000) as n cross join lateral (select now() + n * interval '1 minute' as at) d
"""


async def test_looking_ahead_finds_the_plans_of_accounts_by_their_index(world: World) -> None:
    async with world.db.begin() as tx:
        await tx.conn.execute(_MANY)
        await tx.conn.execute("analyze plans")
        accounts = await tx.conn.fetch("select distinct account_id from plans limit 50")
        ids, until = [row["account_id"] for row in accounts], datetime(2099, 1, 1, tzinfo=UTC)
        lines = await tx.conn.fetch(f"explain {plans.AHEAD}", ids, ["council"], until, ["user"])
    for index in ("plans_account", "plans_anywhere"):
        assert any(index in line[0] for line in lines), lines
