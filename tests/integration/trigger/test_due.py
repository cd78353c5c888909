"""Claiming what is due: what somebody holds is left, what comes late is found."""

from __future__ import annotations

from datetime import timedelta

from services.trigger.worker.due import DuePlans
from shared.contracts.surveys import SurveyRequested
from tests.support.trigger import World

SPAN = timedelta(days=3)


async def deliver(world: World, number: int) -> None:
    person = {"id": f"c{number}", "email": f"p{number}@kund{number}.example", "zone": "Europe/Stockholm"}
    await world.tell("order.delivered", contact=person, subject={"kind": "order", "id": f"o{number}"})


async def test_who_is_held_by_somebody_else_is_asked_afterwards(world: World) -> None:
    for number in range(4):
        await deliver(world, number)
    world.clock.advance(SPAN)
    due = DuePlans(world.db, world.sealer.blind)
    async with world.db.begin() as other:
        await other.conn.fetch("select id from contacts order by id limit 2 for update")
        assert await due.run() == 2
    while await due.run():
        pass
    assert len(await world.said(SurveyRequested)) == 4


async def test_what_becomes_due_before_the_last_claim_is_found(world: World) -> None:
    due = DuePlans(world.db, world.sealer.blind)
    await deliver(world, 1)
    world.clock.advance(SPAN)
    assert await due.run() == 1
    await deliver(world, 2)
    async with world.db.begin() as tx:
        await tx.conn.execute("update plans set due_at = due_at - interval '9 days' where state = 'pending'")
    assert await due.run() == 1
    assert len(await world.said(SurveyRequested)) == 2
