"""`afterword messages uncertain` and `decide` on a real database."""

from __future__ import annotations

from pathlib import Path

from services.cli.messages import app
from shared.db.database import connect
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.breaking import break_off
from tests.support.databases import TestDatabase
from tests.support.deployed import command, deployed
from tests.support.dispatch import delivery_id, mail_room

run = command(app)


async def test_what_broke_off_is_listed_and_decided_about_by_a_command(
    fresh_database: TestDatabase,
    clock: FixedClock,
    machine: FakeMachine,
    sealer: Sealer,
    tokens: Tokens,
    tmp_path: Path,
) -> None:
    deployed(tmp_path, fresh_database)
    assert (await run(tmp_path, "uncertain")).output == "There is none.\n"
    db = await connect(fresh_database.dsn("dispatch"), service="dispatch", clock=clock, machine=machine)
    async with mail_room(db, sealer, tokens) as room:
        await break_off(room, "anna", "bert")
        listed = await run(tmp_path, "uncertain", "--channel", "email")
        assert str(delivery_id("anna")) in listed.output, listed.output
        assert "relationship-nps invitation 0 by email" in listed.output
        assert "customer.example" not in listed.output
        assert (await run(tmp_path, "uncertain", "--programme", "other")).output == "There is none.\n"

        anna = str(delivery_id("anna"))
        assert (await run(tmp_path, "decide", anna, "delivered")).output == "It counts as delivered.\n"
        over = await run(tmp_path, "decide", anna, "delivered")
        assert over.exit_code == 1
        assert "It is not uncertain any more. It is handed_over now." in over.output.replace("\n", " ")
        left = str(delivery_id("bert"))
        assert (await run(tmp_path, "decide", left, "leave")).output == "It stays as it is.\n"
        again = await run(tmp_path, "decide", left, "leave")
        assert again.output == "That was decided before. It stays as it is.\n"
        log = await run(tmp_path, "uncertain", "--standing", "decided")
        assert log.output.count("by system") == 2
        assert (await run(tmp_path, "decide", left, "repeat")).exit_code == 2
    await db.close()
