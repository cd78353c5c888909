"""What ends a wait in the very moment of a round of the gate finds whoever the round lets wait.

Two connections: one transaction is open while the other does all it can, in both orders.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.trigger.handlers.organisation import pull_brake, release_brake
from services.trigger.handlers.stopping import stop_ended
from services.trigger.store.brakes import Brake
from services.trigger.worker.due import DuePlans
from shared.contracts.deliveries import ContactUnsubscribed, DeliveryFailed, UnsubscribeScope
from shared.contracts.model import Channel
from shared.contracts.reasons import Reason
from shared.contracts.surveys import SurveyRequested
from shared.contracts.tickets import TicketOpened, TicketResolved, TicketState
from shared.db.database import Database, Tx
from tests.support.databases import OpenDatabase
from tests.support.trigger import World
from tests.support.waiting import until

PROGRAMMES: list[dict[str, Any]] = [
    {"key": "order", "quarantine": {"contact": "5d", "account": {"max": 1, "per": "1d"}},
     "when": {"touchpoint": "order.delivered", "per": "order", "delay": "0h", "fresh_for": "3d"}},
    {"key": "council", "quarantine": {"contact": "5d", "account": {"max": 3, "per": "30d"}},
     "audience": {"who": "account", "coverage": {"decision_maker": 1, "user": 1}},
     "when": {"touchpoint": "project.completed", "per": "project", "delay": "0h", "fresh_for": "10d"}},
    {"key": "welcome", "priority": 90, "quarantine": {"contact": "5d"},
     "when": {"touchpoint": "onboarding.completed", "per": "account", "delay": "1d", "fresh_for": "5d"}},
]  # fmt: skip
COMPANY = {"id": "a1", "name": "Kund"}
_WAITING = """
select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')
"""

Change = Callable[[Tx], Awaitable[object]]
Given = Callable[[World], Awaitable[Change]]


@pytest.fixture
def world(own_world: World) -> World:
    return own_world


def person(number: int) -> dict[str, str]:
    """The first decides, the others use it."""
    persona = "user" if number else "decision_maker"
    return {"id": f"c{number}", "email": f"p{number}@kund.example", "persona": persona}


async def asked(world: World) -> list[SurveyRequested]:
    return [one for one in await world.said(SurveyRequested) if isinstance(one, SurveyRequested)]


async def delivered(world: World, who: int) -> None:
    order = {"kind": "order", "id": f"o{who}"}
    await world.tell("order.delivered", contact=person(who), account=COMPANY, subject=order)


async def a_place_is_kept_in_vain(world: World) -> Change:
    """Two users are due; a place is kept for the decision maker, who opts out."""
    for who in range(3):
        await world.tell("contact.updated", contact=person(who), account=COMPANY)
    await delivered(world, 0)
    await world.due()
    (small,) = await asked(world)
    await world.later(days=2)
    await world.tell("project.completed", account=COMPANY, subject={"kind": "project", "id": "p"})
    assert await DuePlans(world.db, world.sealer.blind).run() == 1, "only who is meant is known yet"
    contact_id, now = small.snapshot.contact_id, world.clock.now()
    (stop,) = world.news(
        ContactUnsubscribed(contact_id=contact_id, scope=UnsubscribeScope.ALL, at=now, via="page")
    )
    return lambda tx: world.routed([stop], tx)


async def a_mail_fails(world: World) -> Change:
    """A colleague has the only place of the account's budget, and it comes back."""
    await delivered(world, 0)
    await world.due()
    (first,) = await asked(world)
    await delivered(world, 1)
    (failed,) = world.news(
        DeliveryFailed(
            delivery_id="d1", version=1, survey_id=first.survey_id, channel=Channel.EMAIL,
            snapshot=first.snapshot, at=world.clock.now(), reason=Reason.INVALID_ADDRESS,
        )
    )  # fmt: skip
    return lambda tx: world.routed([failed], tx)


async def a_case_ends(world: World) -> Change:
    """An open case holds somebody who is due."""
    elsewhere = {"id": "a2", "name": "Anders"}
    await world.tell(
        "order.delivered", contact=person(1), account=elsewhere, subject={"kind": "order", "id": "x"}
    )
    await world.due()
    (first,) = await asked(world)
    await world.later(days=6)
    now = world.clock.now()
    case: dict[str, Any] = {
        "ticket_id": "t1", "snapshot": first.snapshot, "survey_ids": (), "opened_at": now, "at": now,
        "contact_ids": (first.snapshot.contact_id,), "contact_due_at": now,
    }  # fmt: skip
    await world.hear(TicketOpened(**case, version=1, state=TicketState.OPEN))
    await delivered(world, 1)
    (over,) = world.news(TicketResolved(**case, version=2, state=TicketState.RESOLVED))
    return lambda tx: world.routed([over], tx)


async def a_brake_is_released(world: World) -> Change:
    """All sending stands still while somebody is due."""
    async with world.db.begin() as tx:
        await pull_brake(tx, Brake("all", "", tx.now))
    await delivered(world, 0)
    return lambda tx: release_brake(tx, "all", "")


async def a_programme_is_archived(world: World) -> Change:
    """Something more important is planned for somebody who is due, and its programme ends."""
    await world.tell("onboarding.completed", contact=person(1), account=COMPANY)
    await delivered(world, 1)

    async def archive(tx: Tx) -> None:
        await tx.conn.execute("update programmes set state = 'archived' where key = 'welcome'")
        await stop_ended(tx)

    return archive


SITUATIONS = [
    pytest.param(a_place_is_kept_in_vain, 2, marks=pytest.mark.requirement("R59", "R62")),
    pytest.param(a_mail_fails, 1, marks=pytest.mark.requirement("R53")),
    pytest.param(a_case_ends, 1, marks=pytest.mark.requirement("R72")),
    pytest.param(a_brake_is_released, 1),
    pytest.param(a_programme_is_archived, 1),
]


async def stuck(world: World, task: asyncio.Task[Any]) -> None:
    """Return when a task is done, or waits for a lock that a transaction of the test holds."""

    async def is_stuck() -> bool:
        if task.done():
            return True
        async with world.db.read() as conn:
            return bool(await conn.fetchval(_WAITING))

    await until(is_stuck)


@pytest.mark.parametrize(("given", "more"), SITUATIONS)
async def test_what_happens_before_a_round_and_commits_after_it_is_not_missed(
    world: World, database: OpenDatabase, given: Given, more: int
) -> None:
    change = await given(world)
    before = len(await asked(world))
    other = DuePlans(await database("trigger"), world.sealer.blind)
    async with asyncio.TaskGroup() as tasks, world.db.begin() as tx:
        await change(tx)
        turn = tasks.create_task(other.run())
        await stuck(world, turn)
    await world.due()
    assert len(await asked(world)) == before + more


@pytest.mark.parametrize(("given", "more"), SITUATIONS)
async def test_what_happens_during_a_round_wakes_whoever_it_lets_wait(
    world: World, database: OpenDatabase, given: Given, more: int
) -> None:
    change = await given(world)
    before = len(await asked(world))
    other = await database("trigger")
    async with asyncio.TaskGroup() as tasks, other.begin() as tx:
        loop = DuePlans(other, world.sealer.blind)
        await loop._decide(await loop.claim(tx), tx)
        telling = tasks.create_task(apart(world.db, change))
        await stuck(world, telling)
    await world.due()
    assert len(await asked(world)) == before + more


async def apart(db: Database, change: Change) -> None:
    async with db.begin() as tx:
        await change(tx)
