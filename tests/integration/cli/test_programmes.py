"""`afterword programmes replan` and `test` as an operator runs them."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.programmes import app
from services.trigger.domain.best_moment import Seen
from services.trigger.domain.hearing import Moment
from services.trigger.store.slots import add_news
from services.trigger.worker.learning import Learning
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


async def test_what_was_learned_and_moments_are_shown(
    fresh_database: TestDatabase, clock: FixedClock, machine: FakeMachine, sealer: Sealer, tmp_path: Path
) -> None:
    db = await connect(fresh_database.dsn("trigger"), service="trigger", clock=clock, machine=machine)
    world = await begin(db, clock, sealer, ROOT / "programmes")
    deployed(tmp_path, fresh_database)
    await stop_clock(fresh_database, clock.now())
    assert "Nothing is learned yet" in (await run(tmp_path, "learned")).output
    assert "Nothing stands out" in (await run(tmp_path, "moments")).output
    for who in range(3):
        for _ in range(3):
            person = {"id": f"c{who}", "email": f"p{who}@kund.example"}
            await world.tell("support.contacted", contact=person, account={"id": "a1"})
    async with db.begin() as tx:
        day = clock.now().date() - timedelta(days=30)
        await add_news(tx.conn, {Moment("relationship/user", day, 5): Seen(20, 5)})
    await Learning(db).run()
    learned = await run(tmp_path, "learned")
    assert "relationship/user" in learned.output
    assert "11% - 47%" in learned.output
    assert "Users: relationship surveys" in learned.output
    assert "nothing to compare it with" in " ".join(learned.output.split())
    assert "help-sought-again" in (await run(tmp_path, "moments")).output
    sketch = await run(tmp_path, "moments", "--sketch", "help-sought-again")
    assert sketch.output.startswith("key: help-sought-again")
    unknown = await run(tmp_path, "moments", "--sketch", "nonsense")
    assert (unknown.exit_code, "no moment 'nonsense'" in unknown.output) == (1, True)
    await db.close()


@pytest.mark.requirement("R52")
async def test_a_link_that_cannot_be_made_says_why_in_plain_words(
    fresh_database: TestDatabase, clock: FixedClock, machine: FakeMachine, sealer: Sealer, tmp_path: Path
) -> None:
    db = await connect(fresh_database.dsn("trigger"), service="trigger", clock=clock, machine=machine)
    await begin(db, clock, sealer, ROOT / "programmes")
    deployed(tmp_path, fresh_database)
    await stop_clock(fresh_database, clock.now())
    made = await run(tmp_path, "link", "delivery-csat", "--label", "x" * 60)
    assert (made.exit_code, "/s/open/" in made.output) == (0, True)
    for words, why in (
        (
            ("nonsense", "--label", "wall"),
            "there is no programme 'nonsense' that asks; those that do: del",
        ),
        (("delivery-csat", "--label", " "), "a link needs a label of 1 to 60 characters."),
        (("delivery-csat", "--label", "x" * 61), "a link needs a label of 1 to 60 characters."),
        (("delivery-csat", "--label", "wall", "--account", "[nobody]"), "there is no account '[nobody]'."),
    ):
        refused = await run(tmp_path, "link", *words)
        said = " ".join(refused.output.split())
        assert (refused.exit_code, said.startswith(why)) == (1, True), said
    await db.close()


@pytest.mark.requirement("R52")
async def test_links_are_listed_and_taken_back_with_a_reason(
    fresh_database: TestDatabase, clock: FixedClock, machine: FakeMachine, sealer: Sealer, tmp_path: Path
) -> None:
    db = await connect(fresh_database.dsn("trigger"), service="trigger", clock=clock, machine=machine)
    await begin(db, clock, sealer, ROOT / "programmes")
    deployed(tmp_path, fresh_database)
    await stop_clock(fresh_database, clock.now())
    assert "There is no shared link to renewal-nps." in (await run(tmp_path, "links", "renewal-nps")).output
    for label in ("wall", "wall", "fair"):
        assert (await run(tmp_path, "link", "delivery-csat", "--label", label)).exit_code == 0
    why = ("--reason", "misused")
    listed = json.loads((await run(tmp_path, "links", "--json")).output)
    assert {(one["made_by"], one["state"], one["answers"]) for one in listed} == {("CLI", "open", 0)}
    unclear = await run(tmp_path, "withdraw-link", "wall", *why)
    assert (unclear.exit_code, "Several are called 'wall'" in unclear.output) == (1, True)
    assert (await run(tmp_path, "withdraw-link", "nonsense", *why)).exit_code == 1
    assert (await run(tmp_path, "withdraw-link", "fair", "--reason", "because")).exit_code == 2
    assert (await run(tmp_path, "withdraw-link", "fair", *why, typed="n\n")).exit_code == 1
    assert "withdrawn" not in (await run(tmp_path, "links")).output
    done = await run(tmp_path, "withdraw-link", "fair", *why, typed="y\n")
    assert (done.exit_code, "is taken back." in done.output) == (0, True), done.output
    again = await run(tmp_path, "withdraw-link", "fair", *why, "--yes")
    assert "was taken back before" in again.output
    short = next(one["id"] for one in listed if one["label"] == "wall")[:8]
    assert (await run(tmp_path, "withdraw-link", short, *why, "--yes")).exit_code == 0
    after = json.loads((await run(tmp_path, "links", "delivery-csat", "--json")).output)
    assert sorted((one["label"], one["state"], one["reason"]) for one in after) == [
        ("fair", "withdrawn", "misused"), ("wall", "open", ""), ("wall", "withdrawn", "misused"),
    ]  # fmt: skip
    async with db.read() as conn:
        lines = await conn.fetch(
            "select action, actor, detail->>'reason' as why from access.audit order by id"
        )
    assert [tuple(line) for line in lines] == [
        *[("link.made", "CLI", None)] * 3, *[("link.withdrawn", "CLI", "misused")] * 2,
    ]  # fmt: skip
    await db.close()
