"""The same history with and without programmes in shadow: whoever runs does exactly the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from demo.chance import Chance
from shared.contracts.surveys import SurveyRequested
from shared.db.database import connect
from shared.embedded.postgres import PostgresAddress
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.sealing import Sealer
from tests.support.databases import cloned, ensure_template
from tests.support.trigger import World, begin, shadowed

KINDS = {
    "order.delivered": "order",
    "support_ticket.resolved": "ticket",
    "customer.signed_up": "",
    "order.returned": "order",
    "support_ticket.reopened": "ticket",
}
EVENTS = 40


async def live_through(world: World, chance: Chance) -> list[str]:
    """A history by chance; what became of it, apart from what was only in shadow."""
    for number in range(EVENTS):
        kind = sorted(KINDS)[int(chance.share("kind", number) * len(KINDS))]
        who = int(chance.share("who", number) * 6)
        more: dict[str, Any] = {}
        if KINDS[kind]:
            more["subject"] = {"kind": KINDS[kind], "id": f"s{int(chance.share('subject', number) * 12)}"}
        if kind == "customer.signed_up":
            more["renewal_on"] = (world.clock.now() + timedelta(days=70 + who)).date()
        person = {"id": f"c{who}", "email": f"p{who}@kund.example", "persona": "decision_maker"}
        account = {"id": f"a{who % 2}", "name": "Acme"}
        await world.tell(kind, contact=person, account=account, **more)
        await world.until(world.clock.now() + chance.between(timedelta(), timedelta(days=5), "pause", number))
    await world.later(days=120)
    asked: list[tuple[object, ...]] = [
        ("asked", s.snapshot.programme, s.snapshot.subject_id, s.requested_at)
        for s in await world.said(SurveyRequested)
    ]
    lines: list[tuple[object, ...]] = [
        (e.event_id, e.at, e.decision.programme, e.decision.outcome, e.decision.reason, e.decision.until)
        for e in await world.ledger()
        if not e.decision.shadow
    ]
    return sorted(map(repr, [*asked, *lines]))


FreshWorld = Callable[[], AbstractAsyncContextManager[World]]


@pytest.fixture
def fresh_world(
    postgres_server: PostgresAddress,
    run_folder: Path,
    programmes: Path,
    clock: FixedClock,
    machine: FakeMachine,
    sealer: Sealer,
) -> FreshWorld:
    """Opens a world on a database of its own, at the same time of day as every other."""
    began = clock.now()

    @asynccontextmanager
    async def opened() -> AsyncIterator[World]:
        clock.set(began)
        template = await ensure_template(postgres_server, ("trigger",), run_folder)
        async with cloned(postgres_server, template) as copy:
            db = await connect(copy.dsn("trigger"), service="trigger", clock=clock, machine=machine, size=5)
            yield await begin(db, clock, sealer, programmes)
            await db.close()

    return opened


@pytest.mark.parametrize("seed", ["north", "south"])
async def test_a_programme_in_shadow_changes_nothing_that_the_others_do(
    seed: str, fresh_world: FreshWorld, programmes: Path
) -> None:
    async with fresh_world() as alone:
        expected = await live_through(alone, Chance(seed))
    shadowed(programmes)
    async with fresh_world() as beside:
        assert await live_through(beside, Chance(seed)) == expected
        rehearsed = [e for e in await beside.ledger() if e.decision.outcome == "shadow"]
    assert any("asked" in line for line in expected)
    assert rehearsed, "those in shadow would have asked somebody"
