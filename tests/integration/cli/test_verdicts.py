"""`afterword verdicts` on a real database."""

from __future__ import annotations

import json
from pathlib import Path

from services.cli.verdicts import app
from shared.db.database import connect
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.collector import ORGANISATION, Collector, send, survey_id
from tests.support.databases import TestDatabase
from tests.support.deployed import command, deployed

run = command(app)


async def test_a_verdict_is_shown_and_made_anew(
    fresh_database: TestDatabase,
    clock: FixedClock,
    machine: FakeMachine,
    sealer: Sealer,
    tokens: Tokens,
    tmp_path: Path,
) -> None:
    db = await connect(fresh_database.dsn("collector"), service="collector", clock=clock, machine=machine)
    collector = await Collector.start(db, sealer, tokens, clock, machine)
    await collector.feed(ORGANISATION)
    path = await collector.asked(1)
    await collector.handed_over(1)
    async with collector.client() as browser:
        page = await browser.get(f"{path}?score=2")
        collector.wait(9)
        await send(browser, page, path, {"q.ces": "2", "hand": "none"})
    collector.wait(60)
    await collector.settle()
    deployed(tmp_path, fresh_database)
    shown = await run(tmp_path, "show", str(survey_id(1)))
    told = await run(tmp_path, "show", str(survey_id(1)), "--json")
    unknown = await run(tmp_path, "show", str(survey_id(2)))
    assert (shown.exit_code, unknown.exit_code) == (0, 1), shown.output
    assert "machine" in shown.output
    assert "driven" in shown.output
    assert json.loads(told.output)["answers"][0]["judged"]["verdict"] == "machine"

    async with db.begin() as tx:
        await tx.conn.execute("update answers set verdict = 'human', evidence = '{}', rules = 1")
        await tx.conn.execute("update responses set state = 'counted'")
        await tx.conn.execute("delete from settling")
    dry = await run(tmp_path, "rejudge")
    assert "1 would change" in dry.output, dry.output
    assert "withdrawn 1" in dry.output
    async with db.read() as conn:
        assert await conn.fetchval("select count(*) from settling") == 0
    done = await run(tmp_path, "rejudge", "--apply", "--survey", str(survey_id(1)))
    assert "1 queued" in done.output, done.output
    async with db.read() as conn:
        assert await conn.fetchval("select count(*) from settling") == 1
    await db.close()
