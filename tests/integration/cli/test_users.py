"""`afterword users` as an operator runs it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from typer.testing import CliRunner, Result

from services.cli.people import app
from shared.runtime.clock import FixedClock
from tests.support.databases import TestDatabase
from tests.support.deployed import deployed, stop_clock


async def run(folder: Path, *arguments: str) -> Result:
    """Run the command in an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--data", str(folder)])


async def test_who_lost_the_link_gets_a_new_one_and_is_not_invited_twice(
    fresh_database: TestDatabase, clock: FixedClock, tmp_path: Path
) -> None:
    deployed(tmp_path, fresh_database)
    await stop_clock(fresh_database, clock.now())
    first = await run(tmp_path, "invite", "olle@example.com", "--role", "admin")
    again = await run(tmp_path, "invite", "Olle@example.com")
    lost = await run(tmp_path, "link", "olle@example.com")
    nobody = await run(tmp_path, "link", "eva@example.com")
    assert [one.exit_code for one in (first, again, lost, nobody)] == [0, 1, 0, 1], again.output
    assert "There is an account with this address" in again.output
    assert "afterword users link Olle@example.com" in again.output
    links = [one.output.split()[-1] for one in (first, lost)]
    assert all("/setup/" in link for link in links)
    assert links[0] != links[1]
    assert "There is no account with the address eva@example.com." in nobody.output
