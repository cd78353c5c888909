"""`afterword incentives` on a real database: what is to be given, what was, and what is refused."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.cli.incentives import app
from shared.contracts.forms import Letter
from shared.db.database import connect
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.collector import ORGANISATION, Collector, send, survey_id
from tests.support.databases import TestDatabase
from tests.support.deployed import command, deployed

PROMISE = Letter(subject={"en": "A question"}, incentive={"en": "We plant a tree."})

LATE = datetime(2099, 1, 1, tzinfo=UTC)
"""The command goes by the time of day, which is not that of the test."""


run = command(app)


@pytest.mark.requirement("R55")
async def test_what_was_earned_is_listed_and_recorded_as_given(
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
    for number in (1, 2):
        path = await collector.asked(number, letter=PROMISE, closes_at=LATE)
        await collector.handed_over(number)
        if number == 1:
            async with collector.client() as browser:
                page = await browser.get(path)
                collector.wait(30)
                await send(browser, page, path, {"q.ces": "6"})
    collector.wait(60)
    await collector.settle()
    deployed(tmp_path, fresh_database)
    first, second = str(survey_id(1)), str(survey_id(2))
    earned = await run(tmp_path, "list", "--json")
    assert earned.exit_code == 0, earned.output
    assert [(one["survey_id"], one["state"]) for one in json.loads(earned.output)] == [(first, "earned")]

    done = await run(tmp_path, "redeem", first, "--reference", "V-1", "--at", "2026-03-03T09:00:00")
    again = await run(tmp_path, "redeem", first, "--reference", "V-1")
    other = await run(tmp_path, "redeem", first, "--reference", "V-2")
    early = await run(tmp_path, "redeem", second)
    assert [one.exit_code for one in (done, again, other, early)] == [0, 0, 1, 1], other.output
    assert "Recorded." in done.output
    assert "recorded before" in again.output
    assert "under another reference" in other.output
    assert "Nobody has answered this survey" in early.output
    refused = await run(tmp_path, "refusals")
    assert "2 refusals." in refused.output
    assert "(reference V-2)" in refused.output

    counts = json.loads((await run(tmp_path, "counts", "--json")).output)
    assert counts == [
        {"programme": "onboarding-ces", "promised": 1, "held": 0, "earned": 0, "redeemed": 1, "lapsed": 0}
    ]
    assert "onboarding-ces" in (await run(tmp_path, "counts")).output
    file = tmp_path / "incentives.csv"
    written = await run(tmp_path, "export", str(file), "--state", "redeemed")
    assert "1 incentives in" in written.output
    with file.open(encoding="utf-8") as lines:
        (row,) = csv.DictReader(lines)
    assert (row["survey_id"], row["reference"]) == (first, "V-1")
    assert row["redeemed_at"] == "2026-03-03T09:00:00+00:00"

    back = [await run(tmp_path, "take-back", first) for _ in range(2)]
    assert ["Taken back." in one.output for one in back] == [True, False]
    assert "There is none." in (await run(tmp_path, "list", "--state", "redeemed")).output
    told = (await run(tmp_path, "list")).output
    assert first in told, "whole on a narrow terminal, to be copied"
    assert "onboarding-ces, Acme: We plant a tree." in told
    await db.close()
