"""Fixtures of all tests; what they call lives in `tests/support`."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from shared.embedded.postgres import PostgresAddress, ensure_postgres, stop_postgres
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.keyring import KeyRing
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.databases import (
    SERVICES,
    OpenDatabase,
    TestDatabase,
    cloned,
    ensure_template,
    exclusive,
    fresh_services,
)

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
"""Where the business clock of tests stands: a Tuesday morning."""

ROOM = 4 * 1024**3
"""Bytes that are worth to have free in memory: a run takes a tenth of it."""

# How fast a shared machine draws examples says nothing about the product.
settings.register_profile("afterword", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("afterword")


def _run_folder(config: pytest.Config) -> Path:
    """Folder that all workers of one test run share."""
    base: Path = config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # pytest's own way
    return base.parent if hasattr(config, "workerinput") else base


@pytest.fixture(scope="session")
def run_folder(pytestconfig: pytest.Config) -> Path:
    """Folder that all workers of one test run share."""
    return _run_folder(pytestconfig)


def _embedded(run_folder: Path) -> Path:
    """Where the run's PostgreSQL lives: not below pytest's folder, which another run may close."""
    named = run_folder / "embedded"
    if not named.exists():
        named.write_text(tempfile.mkdtemp(prefix="afterword-tests-", dir=_memory()))
    return Path(named.read_text())


def _memory() -> Path | None:
    """A file system in memory with room for databases, if the machine has one.

    Each test has a database of a thousand files, dropped at its end. ext4 passes over each inode that was
    freed in the last minute whenever it makes a file, which took more of a run's time than the tests.
    """
    folder = Path("/dev/shm")  # noqa: S108 - a folder of its own is made there, with a name nobody can foresee
    fits = os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= ROOM
    return folder if fits else None


@pytest.fixture(scope="session")
def postgres_server(run_folder: Path) -> PostgresAddress:
    """One real PostgreSQL for the whole test run; stopped when the run ends."""
    with exclusive(run_folder, "postgres"):
        return asyncio.run(ensure_postgres(_embedded(run_folder), durable=False))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop what the run started, once, from the controlling process."""
    if hasattr(session.config, "workerinput"):
        return
    named = _run_folder(session.config) / "embedded"
    if named.exists():
        folder = Path(named.read_text())
        asyncio.run(stop_postgres(folder))
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def clock() -> FixedClock:
    """Business time, standing at START."""
    return FixedClock(START)


@pytest.fixture
def machine() -> FakeMachine:
    """Machine time that passes only when somebody sleeps."""
    return FakeMachine(START)


@pytest.fixture
def sealer(clock: FixedClock) -> Sealer:
    """Seals with fixed secrets."""
    return Sealer(KeyRing(1, {1: b"m" * 32}), b"b" * 32, clock.now)


@pytest.fixture
def tokens() -> Tokens:
    """Signs with a fixed secret."""
    return Tokens(KeyRing(1, {1: b"t" * 32}))


@pytest.fixture
async def fresh_database(postgres_server: PostgresAddress, run_folder: Path) -> AsyncIterator[TestDatabase]:
    """A fresh database with all five services' schemas."""
    template = await ensure_template(postgres_server, SERVICES, run_folder)
    async with cloned(postgres_server, template) as fresh:
        yield fresh


@pytest.fixture
async def database(
    postgres_server: PostgresAddress, run_folder: Path, clock: FixedClock, machine: FakeMachine
) -> AsyncIterator[OpenDatabase]:
    """Open a service's Database on a fresh, migrated copy: `db = await database("trigger")`."""
    async with fresh_services(postgres_server, run_folder, clock, machine) as open_database:
        yield open_database
