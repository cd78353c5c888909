"""A service that starts while its database comes and goes."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import asyncpg
import pytest

from shared.runtime.clock import AnchoredClock, SystemMachine
from shared.runtime.host import reach_database
from tests.support.databases import PASSWORD, TestDatabase
from tests.support.deployed import KEY
from tests.support.waiting import until

_WAITING = "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


ROOT = Path(__file__).parents[3]


async def _waiting(admin: asyncpg.Connection) -> set[int]:
    # Within a transaction the statistics are a snapshot of the first look.
    await admin.execute("select pg_stat_clear_snapshot()")
    return {row[0] for row in await admin.fetch(_WAITING)}


async def test_a_database_that_goes_away_between_connection_and_first_question_is_waited_for(
    fresh_database: TestDatabase,
) -> None:
    machine = SystemMachine()
    clock = AnchoredClock(machine)
    admin = await asyncpg.connect(fresh_database.admin_dsn)

    async def asks(others: frozenset[int] = frozenset()) -> bool:
        return bool(await _waiting(admin) - others)

    async with asyncio.TaskGroup() as tasks, admin.transaction():
        await admin.execute("lock table clock.anchor in access exclusive mode")
        dsn = fresh_database.dsn("trigger")
        reaching = tasks.create_task(reach_database(dsn, "trigger", clock, machine))
        await until(asks)
        first = frozenset(await _waiting(admin))
        await admin.fetch("select pg_terminate_backend(pid) from unnest($1::int[]) as t (pid)", first)
        await until(lambda: asks(first))
    db = reaching.result()
    async with db.read() as conn:
        assert await conn.fetchval("select true")
    assert not clock.suspect
    await db.close()
    await admin.close()


async def test_a_database_that_lacks_the_anchor_is_no_outage(fresh_database: TestDatabase) -> None:
    admin = await asyncpg.connect(fresh_database.admin_dsn)
    await admin.execute("drop table clock.anchor")
    await admin.close()
    machine = SystemMachine()
    with pytest.raises(asyncpg.UndefinedTableError):
        await reach_database(fresh_database.dsn("trigger"), "trigger", AnchoredClock(machine), machine)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        pytest.param(
            {
                "AFTERWORD_DISPATCH_DKIM_DOMAIN": "nordlicht.example",
                "AFTERWORD_DISPATCH_DKIM_KEY_FILE": "no.pem",
            },
            "AFTERWORD_DISPATCH_DKIM_KEY_FILE: no.pem cannot be read: No such file or directory",
            id="a file that is not there",
        ),
        pytest.param(
            {"AFTERWORD_MASTER_KEYS": "first"},
            "AFTERWORD_MASTER_KEYS: write each key as number:base64",
            id="keys that are none",
        ),
    ],
)
async def test_a_service_that_cannot_start_says_which_setting_is_wrong_and_why(
    fresh_database: TestDatabase, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], says: str
) -> None:
    address = fresh_database.address
    environment = {
        "AFTERWORD_DATABASE_URL": f"postgresql://{address.host}:{address.port}/{fresh_database.name}",
        "AFTERWORD_DATABASE_PASSWORD": PASSWORD, "AFTERWORD_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "AFTERWORD_MASTER_KEYS": KEY, "AFTERWORD_TOKEN_KEYS": KEY,
        "AFTERWORD_BLIND_SECRET": KEY.partition(":")[2], "AFTERWORD_LOG_LEVEL": "warning",
    }  # fmt: skip
    for name, value in (environment | settings).items():
        monkeypatch.setenv(name, value)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.dispatch", cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    assert process.returncode == 2
    assert said.decode().startswith(f"dispatch cannot start:\n{says}")
    assert b"Traceback" not in said
