"""`afterword rota check` on a real database: who of those that own accounts is found by no case."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from services.alerts.store.directory import save_accounts
from services.cli.rota import app
from shared.contracts.directory import AccountChanged
from shared.db.database import connect
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.sealing import Sealer
from tests.support.alert_site import site
from tests.support.databases import TestDatabase
from tests.support.deployed import command, deployed

run = command(app)


def owned(number: int, owner: str) -> AccountChanged:
    return AccountChanged(account_id=str(UUID(int=number)), version=1, name=f"N{number}", owner=owner)


async def test_owners_whom_no_case_finds_are_named(
    fresh_database: TestDatabase, clock: FixedClock, machine: FakeMachine, sealer: Sealer, tmp_path: Path
) -> None:
    db = await connect(fresh_database.dsn("alerts"), service="alerts", clock=clock, machine=machine)
    on = site(db, sealer, clock)
    await on.sign_in_everybody()
    owners = ["Rita@afterword.test", "gone@afterword.test", "gone@afterword.test", "Kim Berg", ""]
    async with db.begin() as tx:
        await save_accounts(tx.conn, [owned(n, owner) for n, owner in enumerate(owners, 1)])
        many = [owned(n, f"one{n}@elsewhere.test") for n in range(100, 112)]
        await tx.conn.execute("insert into merged (former, id) values ($1, $2)", UUID(int=99), UUID(int=1))
        await save_accounts(tx.conn, [owned(99, "merged@afterword.test")])
    deployed(tmp_path, fresh_database)
    file = tmp_path / "alerts.yaml"
    file.write_text("teams: {}\n")
    found = await run(tmp_path, "check", str(file))
    assert "gone@afterword.test owns 2 accounts and is no active user who works on cases" in found.output
    assert "Kim Berg owns 1 account and is no active user" in found.output
    for known in ("rita@", "Rita@", "merged@"):
        assert known not in found.output
    async with db.begin() as tx:
        await save_accounts(tx.conn, many)
    await db.close()
    crowded = await run(tmp_path, "check", str(file))
    assert "and 4 more owners like that" in crowded.output
