"""`afterword badges` on a real database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.cli.badges import app
from shared.contracts.model import Family
from shared.contracts.programmes import ProgrammePublished, ProgrammeState
from shared.db.database import connect
from shared.runtime.clock import FakeMachine, FixedClock
from tests.support.databases import TestDatabase
from tests.support.deployed import command, deployed
from tests.support.scoring import Scoring, answer

PUBLISH = ("publish", "renewal", "nps", "--label", "Would customers recommend us?")


run = command(app)


async def listed(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((await run(folder, "list", "--json")).output)
    return found


@pytest.mark.requirement("R84")
async def test_a_score_is_published_seen_and_taken_back(
    fresh_database: TestDatabase, clock: FixedClock, machine: FakeMachine, tmp_path: Path
) -> None:
    db = await connect(fresh_database.dsn("scoring"), service="scoring", clock=clock, machine=machine)
    programme = ProgrammePublished(
        programme="renewal", version="v", revision=1, state=ProgrammeState.ACTIVE,
        family=Family.TRANSACTIONAL, definition={"title": {"en": "Renewal"}},
    )  # fmt: skip
    await Scoring(db).take(programme, answer(1, 9), answer(2, 3))
    deployed(tmp_path, fresh_database)
    assert "No score is published." in (await run(tmp_path, "list")).output
    made = await run(tmp_path, *PUBLISH)
    assert made.exit_code == 0, made.output
    address = made.output.split()[0]
    assert "/badges/" in address
    (one,) = await listed(tmp_path)
    assert (one["url"], one["published_by"], one["taken_back_at"]) == (address, "CLI", None)
    shown = (await run(tmp_path, "list")).output
    assert f"{one['id'][:8]}  {address}" in shown.splitlines(), "whole, however narrow the terminal"
    assert "stands" in shown
    kept = await run(tmp_path, "take-back", one["label"], "--reason", "outdated", typed="n\n")
    assert kept.exit_code == 1
    gone = await run(tmp_path, "take-back", one["id"][:8], "--reason", "outdated", typed="y\n")
    assert gone.exit_code == 0, gone.output
    assert address not in (await run(tmp_path, "list")).output
    again = await run(tmp_path, "take-back", one["label"], "--reason", "mistake", "--yes")
    assert "was taken back before" in again.output
    assert [(each["reason"], each["taken_back_by"]) for each in await listed(tmp_path)] == [
        ("outdated", "CLI")
    ]
    async with db.read() as conn:
        told = await conn.fetch("select action, actor from access.audit order by id")
    assert [tuple(row) for row in told] == [("badge.published", "CLI"), ("badge.taken_back", "CLI")]
    await db.close()


@pytest.mark.requirement("R84")
async def test_what_cannot_be_published_or_found_is_said_plainly(
    fresh_database: TestDatabase, clock: FixedClock, machine: FakeMachine, tmp_path: Path
) -> None:
    db = await connect(fresh_database.dsn("scoring"), service="scoring", clock=clock, machine=machine)
    deployed(tmp_path, fresh_database)
    unknown = await run(tmp_path, *PUBLISH)
    assert unknown.exit_code == 1
    assert "there is no programme 'renewal'." in unknown.output
    few = await run(tmp_path, *PUBLISH, "--least", "2")
    assert few.exit_code == 1
    assert "at least 5" in few.output
    missing = await run(tmp_path, "take-back", "nothing", "--reason", "mistake", "--yes")
    assert missing.exit_code == 1
    assert "There is no published score 'nothing'." in missing.output
    await db.close()
