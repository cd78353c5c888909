"""`afterword cases` on a real database."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.alerts.handlers.actions import Action
from services.alerts.handlers.reporting import add_up
from services.cli.cases import app
from shared.db.database import connect
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.sealing import Sealer
from tests.support.alert_site import site
from tests.support.alerts import T0
from tests.support.databases import TestDatabase
from tests.support.deployed import command, deployed

run = command(app)


@pytest.mark.requirement("R72")
async def test_weeks_are_checked_and_added_up_anew(
    fresh_database: TestDatabase, clock: FixedClock, machine: FakeMachine, sealer: Sealer, tmp_path: Path
) -> None:
    db = await connect(fresh_database.dsn("alerts"), service="alerts", clock=clock, machine=machine)
    on = site(db, sealer, clock)
    await on.sign_in_everybody()
    on.clock.set(T0)
    await on.hears(await on.says.answered("one", 2, T0))
    await on.does("rita", "one", Action.CONTACT, via="phone")
    await on.does("rita", "one", Action.RESOLVE, cause="other", note="Replaced.")
    await add_up(db)
    deployed(tmp_path, fresh_database)
    well = await run(tmp_path, "check")
    assert (well.exit_code, "1 weeks are what their cases say" in well.output) == (0, True), well.output
    async with db.begin() as tx:
        await tx.conn.execute("update case_weeks set care = '[]'")
    wrong = await run(tmp_path, "check")
    assert wrong.exit_code == 1
    assert "the weeks from 2026-03-02" in wrong.output
    assert "afterword cases rebuild" in wrong.output
    assert "1 weeks are added up anew" in (await run(tmp_path, "rebuild")).output
    await add_up(db)
    assert (await run(tmp_path, "check")).exit_code == 0
    await db.close()
