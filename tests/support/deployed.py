"""A test's database as a deployment that commands of `afterword` find."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import datetime
from pathlib import Path
from typing import Protocol

import asyncpg
from typer import Typer
from typer.testing import CliRunner, Result

from shared.db.anchor import set_anchor
from tests.support.databases import PASSWORD, TestDatabase

KEY = "1:" + base64.b64encode(b"k" * 32).decode()


def deployed(folder: Path, database: TestDatabase) -> None:
    """Leave the settings of a deployment where commands look for them."""
    address = database.address
    settings = {
        "database_url": f"postgresql://{address.host}:{address.port}/{database.name}",
        "database_password": PASSWORD, "kafka_bootstrap": "127.0.0.1:1",
        "master_keys": KEY, "token_keys": KEY, "blind_secret": KEY.partition(":")[2],
    }  # fmt: skip
    (folder / "settings.json").write_text(json.dumps(settings))


class Command(Protocol):
    """A command of `afterword` in the folder of a deployment; `typed` is what an operator types in."""

    async def __call__(self, folder: Path, *arguments: str, typed: str = "") -> Result:
        """Run it."""
        ...


def command(app: Typer) -> Command:
    """Give a command as an operator runs it: with an event loop of its own."""

    async def run(folder: Path, *arguments: str, typed: str = "") -> Result:
        given = [*arguments, "--data", str(folder)]
        return await asyncio.to_thread(CliRunner().invoke, app, given, input=typed)

    return run


async def stop_clock(database: TestDatabase, at: datetime) -> None:
    """Let the business time of the deployment stand where the test's stands."""
    admin = await asyncpg.connect(database.admin_dsn)
    await set_anchor(admin, at, 0)
    await admin.close()
