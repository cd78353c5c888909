"""`afterword suppressions` on a real database: what it adds keeps mails back, what it lifts lets them go."""

from __future__ import annotations

import base64
import csv
from pathlib import Path

import pytest

from services.cli.suppressions import app
from shared.contracts.reasons import Reason
from shared.db.database import connect
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.keyring import KeyRing
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.databases import TestDatabase
from tests.support.deployed import KEY, command, deployed
from tests.support.dispatch import mail_room

SECRET = base64.b64decode(KEY.partition(":")[2])
"""Of the deployment: an address is found by its hash under it."""


run = command(app)


@pytest.mark.requirement("R57")
async def test_a_list_is_taken_in_given_away_and_lifted(
    fresh_database: TestDatabase,
    clock: FixedClock,
    machine: FakeMachine,
    tmp_path: Path,
) -> None:
    deployed(tmp_path, fresh_database)
    file, out = tmp_path / "list.csv", tmp_path / "out.csv"
    file.write_text("email,reason\nanna@customer.example,bounced\nnobody\nbeata@customer.example,\n", "utf-8")

    first = await run(tmp_path, "import", str(file), "--source", "old-tool")
    again = await run(tmp_path, "import", str(file), "--source", "old-tool")
    assert (first.exit_code, again.exit_code) == (1, 1), first.output
    assert "line 3: email: not one plain address" in first.output
    assert "2 added, 0 known; 1 cannot" in first.output
    assert "0 added, 2 known; 1 cannot" in again.output

    shown = await run(tmp_path, "show", "ANNA@customer.example")
    assert "bounced" in shown.output
    assert "old-tool" in shown.output
    exported = await run(tmp_path, "export", str(out))
    assert "2 entries" in exported.output
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert sorted(row["reason"] for row in rows) == ["bounced", "opted_out"]
    assert "customer.example" not in out.read_text("utf-8")
    back = await run(tmp_path, "import", str(out), "--source", "x")
    assert (back.exit_code, "0 added, 2 known; 0 cannot" in back.output) == (0, True), back.output

    assert (await run(tmp_path, "lift", "anna@customer.example")).exit_code == 0
    assert (await run(tmp_path, "show", "anna@customer.example")).exit_code == 1
    stays = await run(tmp_path, "lift", "beata@customer.example")
    assert stays.exit_code == 1
    assert "0 entries lifted" in stays.output
    agreed = await run(tmp_path, "lift", "beata@customer.example", "--agreed-at", "2026-03-01")
    assert agreed.exit_code == 0, agreed.output
    db = await connect(fresh_database.dsn("dispatch"), service="dispatch", clock=clock, machine=machine)
    async with db.read() as conn:
        assert await conn.fetchval("select count(*) from lifted_suppressions") == 2
    await db.close()


async def test_whoever_is_on_the_list_gets_no_mail(
    fresh_database: TestDatabase,
    clock: FixedClock,
    machine: FakeMachine,
    tokens: Tokens,
    tmp_path: Path,
) -> None:
    deployed(tmp_path, fresh_database)
    added = await run(tmp_path, "add", "anna@customer.example", "--reason", "invalid")
    assert added.output == "Added.\n"
    assert "already" in (await run(tmp_path, "add", "anna@customer.example")).output
    assert (await run(tmp_path, "add", "anna")).exit_code == 2
    db = await connect(fresh_database.dsn("dispatch"), service="dispatch", clock=clock, machine=machine)
    sealer = Sealer(KeyRing(1, {1: SECRET}), SECRET, clock.now)
    async with mail_room(db, sealer, tokens) as room:
        for name in ("anna", "beata"):
            await room.ask(name)
        await room.work()
        assert await room.state("anna") == ("suppressed", Reason.INVALID_ADDRESS.value)
        assert await room.state("beata") == ("handed_over", None)
    await db.close()
