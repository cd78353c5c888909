"""Receipts and settled parked events go by age; what waits, or may still be repeated, never does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.trigger.domain.reports import Gap, Named, Report
from services.trigger.handlers.intake import Intake, Taken
from services.trigger.metrics import PURGED
from services.trigger.store import brakes
from services.trigger.worker.purging import Purge
from shared.contracts.touchpoints import Touchpoint, TouchpointContact
from shared.runtime.clock import FakeMachine
from tests.support.trigger import World

KEPT = timedelta(days=150)
pytestmark = pytest.mark.requirement("R54")


def report(world: World, name: str, gap: Gap | None = None) -> Report:
    person = TouchpointContact(id="zendesk:42") if gap else TouchpointContact(email=f"{name}@kund.example")
    told = Touchpoint(occurred_at=world.clock.now(), contact=person)
    return Report(name, name, "/webhooks/zendesk", name, "order.delivered", told, gap)


async def take(world: World, machine: FakeMachine, *reports: Report) -> list[Taken]:
    async with world.db.begin() as tx:
        return await Intake(world.sealer, machine).take(tx, "/webhooks/zendesk", reports)


async def rows(world: World, table: str) -> int:
    async with world.db.read() as conn:
        return int(await conn.fetchval(f"select count(*) from {table}"))


@pytest.mark.parametrize(
    ("age", "left", "again"),
    [
        pytest.param(KEPT, 1, Taken.DUPLICATE, id="as old as they may be"),
        pytest.param(KEPT + timedelta(seconds=1), 0, Taken.ACCEPTED, id="older"),
    ],
)
async def test_a_receipt_absorbs_repeats_until_it_is_too_old(
    world: World, machine: FakeMachine, age: timedelta, left: int, again: Taken
) -> None:
    first = report(world, "e1")
    assert await take(world, machine, first) == [Taken.ACCEPTED]
    world.clock.advance(age)
    before = PURGED.labels("receipts")._value.get()
    assert await Purge(world.db, KEPT).run() == 2 * (1 - left)
    assert await rows(world, "webhooks") == await rows(world, "sent_ids") == left
    assert PURGED.labels("receipts")._value.get() - before == 1 - left
    assert await take(world, machine, first) == [again]


async def test_what_is_parked_is_never_forgotten_while_it_waits(world: World, machine: FakeMachine) -> None:
    await take(world, machine, report(world, "thin", Gap("zendesk", Named.CONTACT, "zendesk:42")))
    world.clock.advance(timedelta(days=1000))
    await Purge(world.db, KEPT).run()
    assert await rows(world, "parked") == 1
    await world.due()  # given up now, so its age begins now
    await Purge(world.db, KEPT).run()
    assert await rows(world, "parked") == 1
    world.clock.advance(KEPT + timedelta(seconds=1))
    assert await Purge(world.db, KEPT).run() == 1
    assert await rows(world, "parked") == 0
    assert [str(e.decision.reason) for e in await world.ledger()][-1] == "unknown_contact"


async def test_more_than_a_batch_goes_batch_by_batch(world: World, machine: FakeMachine) -> None:
    await take(world, machine, *(report(world, f"e{number}") for number in range(5)))
    world.clock.advance(KEPT + timedelta(days=1))
    purge = Purge(world.db, KEPT, batch=2)
    assert [await purge.run() for _ in range(4)] == [4, 4, 2, 0]


async def counted(world: World) -> list[tuple[str, str, int]]:
    async with world.db.read() as conn:
        return await brakes.waiting(conn)


async def scanned(world: World) -> list[tuple[str, str, int]]:
    async with world.db.read() as conn:
        found = await conn.fetch(
            "select programme, coalesce(waits_for, '') as reason, count(*) as n from plans "
            "where state = 'pending' group by 1, 2 order by 1, 2"
        )
    return [(row["programme"], row["reason"], row["n"]) for row in found]


async def test_the_count_of_what_waits_is_that_of_the_plans_at_any_moment(world: World) -> None:
    acme = {"id": "a1", "name": "Acme"}
    for number in range(12):
        told = {"id": f"c{number % 4}", "email": f"p{number % 4}@kund.example", "zone": "Europe/Stockholm"}
        await world.tell(
            "order.delivered", contact=told, account=acme, subject={"kind": "order", "id": f"o{number}"}
        )
        assert await counted(world) == await scanned(world) != []
    async with world.db.begin() as tx:
        await brakes.add_up(tx.conn)
    assert await rows(world, "waiting_plans") == 1
    for _ in range(3):
        await world.later(hours=2)
        assert await counted(world) == await scanned(world)
    async with world.db.begin() as tx:
        await tx.conn.execute("delete from plans")
    async with world.db.begin() as tx:
        await brakes.add_up(tx.conn)
    assert await counted(world) == []
    assert await rows(world, "waiting_plans") == 0
