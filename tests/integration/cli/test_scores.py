"""`afterword scores` on a real database."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.cli.scores import app
from services.scoring.domain.crm import Kind
from services.scoring.store import crm
from shared.db.database import connect
from shared.runtime.clock import FakeMachine, FixedClock
from shared.runtime.ids import derive
from tests.support.databases import TestDatabase
from tests.support.deployed import command, deployed
from tests.support.scoring import Scoring, answer

run = command(app)


@pytest.mark.requirement("R1")
async def test_sums_are_checked_and_counted_anew(
    fresh_database: TestDatabase, clock: FixedClock, machine: FakeMachine, tmp_path: Path
) -> None:
    db = await connect(fresh_database.dsn("scoring"), service="scoring", clock=clock, machine=machine)
    await Scoring(db).take(answer(1, 9), answer(2, 3))
    deployed(tmp_path, fresh_database)
    well = await run(tmp_path, "check")
    assert well.exit_code == 0, well.output
    assert "cells are what 2 answers say" in well.output
    async with db.begin() as tx:
        await tx.conn.execute("update score_cells set b9 = 7 where rollup = 'total'")
    wrong = await run(tmp_path, "check")
    assert wrong.exit_code == 1
    assert "1 of" in wrong.output
    assert "afterword scores rebuild" in wrong.output
    rebuilt = await run(tmp_path, "rebuild")
    assert "counted anew from 2 answers" in rebuilt.output
    assert (await run(tmp_path, "check")).exit_code == 0
    await db.close()


@pytest.mark.requirement("R71")
async def test_what_could_not_be_written_to_a_crm_is_shown_with_its_reason(
    fresh_database: TestDatabase, clock: FixedClock, machine: FakeMachine, tmp_path: Path
) -> None:
    db = await connect(fresh_database.dsn("scoring"), service="scoring", clock=clock, machine=machine)
    deployed(tmp_path, fresh_database)
    assert "docs/crm.md" in (await run(tmp_path, "crm")).output
    async with db.begin() as tx:
        await tx.conn.execute(
            "insert into crm_records (target, kind, id, state, reason) values "
            "('hubspot', 'contact', $1, 'refused', 'there is no such record'), "
            "('salesforce', 'contact', $1, 'written', '')",
            derive("contact", 1),
        )
        await crm.hold(tx.conn, "hubspot", [Kind.ACCOUNT], 1, machine.wall(), "HTTP 403 MISSING_SCOPES")
    shown = (await run(tmp_path, "crm")).output
    assert "salesforce: 1 contact records written" in shown
    until = f"{machine.wall():%Y-%m-%d %H:%M:%S} UTC"
    assert f"hubspot: account records wait until {until}: HTTP 403 MISSING_SCOPES" in " ".join(shown.split())
    assert "there is no such record" in shown
    assert "hubspot" not in (await run(tmp_path, "crm", "salesforce")).output
    await db.close()
