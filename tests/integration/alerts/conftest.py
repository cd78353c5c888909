"""A desk with three people on a real database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from services.alerts.domain.rooms import Rooms
from services.alerts.handlers import asking, directory, quoting, responses, thanking
from services.alerts.handlers.applying import Desk
from services.alerts.worker import ring_clocks
from shared.contracts.envelope import Event
from shared.db.database import Database
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.roles import Role
from shared.security.sealing import Sealer
from tests.support.alerts import NO_STEPS, Says, Team


@dataclass
class Office:
    """The alerts service without its HTTP."""

    db: Database
    desk: Desk
    says: Says
    team: Team
    clock: FixedClock
    machine: FakeMachine

    async def hears(self, *events: Event[Any]) -> None:
        """Handle events as the consumer does: all in one transaction, each type by its route."""
        async with self.db.begin() as tx:
            routes = (responses.route(self.desk), quoting.route(self.desk), thanking.ROUTE, *asking.ROUTES)
            for route in (*directory.ROUTES, *routes):
                wanted = [event for event in events if event.type in route.types]
                if wanted:
                    await route.handle(wanted, tx)

    async def rings(self) -> int:
        """Let the clocks run once."""
        return await ring_clocks(self.desk, self.db)

    async def rows(self, statement: str, *values: object) -> list[Any]:
        """What the database says."""
        async with self.db.read() as conn:
            return [tuple(row) for row in await conn.fetch(statement, *values)]

    async def emitted(self) -> list[str]:
        """Types of the events in the outbox, in order."""
        async with self.db.read() as conn:
            rows = await conn.fetch("select headers from outbox order by id")
        return [_type(row["headers"]) for row in rows if "ticket." in row["headers"]]


def _type(headers: str) -> str:
    start = headers.index("ticket.")
    return headers[start : headers.index(".v1", start)]


@pytest.fixture
async def office(
    database: Callable[[str], Awaitable[Database]], sealer: Sealer, clock: FixedClock, machine: FakeMachine
) -> Office:
    """Rita (rep), Mia (manager) and Ada (admin) take care."""
    db = await database("alerts")
    team = Team()
    async with db.begin() as tx:
        await team.add(tx, "rita")
        await team.add(tx, "mia", Role.MANAGER)
        await team.add(tx, "ada", Role.ADMIN)
    desk = Desk(sealer, machine, rooms=Rooms(("slack",)), roster=NO_STEPS)
    return Office(db, desk, Says(sealer, db), team, clock, machine)
