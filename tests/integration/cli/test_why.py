"""`afterword why` on a real database, as an operator asks it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from typer.testing import CliRunner, Result

from services.cli.main import app
from shared.db.database import connect
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.sealing import Sealer
from tests.support.databases import TestDatabase
from tests.support.deployed import deployed
from tests.support.trigger import begin, shipped


async def run(folder: Path, *arguments: str) -> Result:
    """Run the command in an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["why", *arguments, "--data", str(folder)])


async def test_an_event_is_told_of_by_the_number_of_its_order(
    fresh_database: TestDatabase, clock: FixedClock, machine: FakeMachine, sealer: Sealer, tmp_path: Path
) -> None:
    folder = tmp_path / "programmes"
    folder.mkdir()
    db = await connect(fresh_database.dsn("trigger"), service="trigger", clock=clock, machine=machine)
    world = await begin(db, clock, sealer, shipped(folder))
    person = {"id": "c1", "email": "anna@kund.example"}
    event = await world.tell("order.delivered", contact=person, subject={"kind": "order", "id": "o-77"})
    deployed(tmp_path, fresh_database)
    told = await run(tmp_path, "o-77")
    by_programme = await run(tmp_path, "delivery-csat")
    other = await run(tmp_path, "o-77", "--source", "/shop")
    unknown = await run(tmp_path, "o-78")
    await db.close()
    assert told.exit_code == 0, told.output
    assert f"order.delivered from /crm, 2026-03-03 09:00  {event}" in told.output
    assert "“Delivery” was planned for" in told.output
    assert "“Delivery” was planned for" in by_programme.output
    assert (other.exit_code, unknown.exit_code) == (1, 1)
    assert "Nothing is known by 'o-78'" in unknown.output
    assert "/why/left-out" in unknown.output
