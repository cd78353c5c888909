"""`afterword programmes replan` and `test` as an operator runs them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from typer.testing import CliRunner, Result

from services.cli.programmes import app
from shared.contracts.surveys import SurveyRequested
from shared.db.database import connect
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.sealing import Sealer
from tests.support.databases import TestDatabase
from tests.support.deployed import deployed, stop_clock
from tests.support.trigger import ROOT, begin


async def run(folder: Path, *arguments: str, typed: str = "") -> Result:
    """Run the command in an event loop of its own."""
    invoke = CliRunner().invoke
    return await asyncio.to_thread(invoke, app, [*arguments, "--data", str(folder)], input=typed)


async def test_plans_of_an_old_edition_are_counted_and_made_anew(
    fresh_database: TestDatabase, clock: FixedClock, machine: FakeMachine, sealer: Sealer, tmp_path: Path
) -> None:
    folder = tmp_path / "programmes"
    folder.mkdir()
    text = (ROOT / "programmes" / "delivery.yaml").read_text()
    (folder / "delivery.yaml").write_text(text.replace("delay: 2h", "delay: 24h"))
    db = await connect(fresh_database.dsn("trigger"), service="trigger", clock=clock, machine=machine)
    world = await begin(db, clock, sealer, folder)
    person = {"id": "c1", "email": "anna@kund.example"}
    await world.tell("order.delivered", contact=person, subject={"kind": "order", "id": "o1"})
    (folder / "delivery.yaml").write_text(text.replace("delay: 2h", "delay: 36h"))
    await world.publisher.run()
    deployed(tmp_path, fresh_database)
    await stop_clock(fresh_database, clock.now())
    dry = await run(tmp_path, "replan", "delivery-csat", "--dry-run")
    refused = await run(tmp_path, "replan", "delivery-csat", typed="n\n")
    unknown = await run(tmp_path, "replan", "nonsense")
    assert (dry.exit_code, refused.exit_code, unknown.exit_code) == (0, 1, 1), dry.output
    assert "asked at another time" in dry.output
    assert "there is no programme 'nonsense'" in unknown.output
    assert "replanned" not in {reason for _, reason in await world.reasons()}
    done = await run(tmp_path, "replan", "delivery-csat", "--yes")
    assert "1 plans done" in done.output, done.output
    again = await run(tmp_path, "replan", "delivery-csat", "--yes")
    assert "No plan of delivery-csat waits" in again.output
    await db.close()


async def test_a_test_is_sent_and_says_what_an_answer_brings(
    fresh_database: TestDatabase, clock: FixedClock, machine: FakeMachine, sealer: Sealer, tmp_path: Path
) -> None:
    db = await connect(fresh_database.dsn("trigger"), service="trigger", clock=clock, machine=machine)
    world = await begin(db, clock, sealer, ROOT / "programmes")
    deployed(tmp_path, fresh_database)
    await stop_clock(fresh_database, clock.now())
    to = ("--to", "me@example.com")
    sent = await run(tmp_path, "test", "delivery-csat", *to, "--locale", "sv", "--answer-like", "detractor")
    assert sent.exit_code == 0, sent.output
    assert "?score=1" in sent.output
    assert "and then follows: a ticket" in sent.output
    for arguments, why in (
        (("nonsense", *to), "there is no programme 'nonsense'"),
        (("delivery-csat", "--to", "nobody"), "'nobody' is not one e-mail address"),
        (("delivery-csat", *to, "--answer-like", "robot"), "'robot' is nobody; write detractor"),
    ):
        refused = await run(tmp_path, "test", *arguments)
        assert refused.exit_code == 1
        assert why in refused.output
    (survey,) = await world.said(SurveyRequested)
    assert survey.snapshot.test
    await db.close()
