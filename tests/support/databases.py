"""Databases for tests: a migrated template per service, cloned for each test that asks for one."""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from shared.db.database import Database, connect
from shared.db.migrations import provision, role_of
from shared.embedded.postgres import PostgresAddress
from shared.runtime.clock import FakeMachine, FixedClock

PASSWORD = "service-password"
SERVICES = ("trigger", "dispatch", "collector", "scoring", "alerts")

OpenDatabase = Callable[[str], Awaitable[Database]]


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """A fresh database: `admin_dsn` as superuser, `dsn(service)` as a service's own role."""

    __test__ = False

    address: PostgresAddress
    name: str

    @property
    def admin_dsn(self) -> str:
        """As superuser."""
        return self.address.dsn("postgres", self.address.password, self.name)

    def dsn(self, service: str) -> str:
        """As a service."""
        return self.address.dsn(role_of(service), PASSWORD, self.name)


@contextmanager
def exclusive(folder: Path, name: str) -> Iterator[None]:
    """Only one worker of the test run at a time."""
    with (folder / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


async def ensure_template(address: PostgresAddress, services: tuple[str, ...], folder: Path) -> str:
    """Make the template of these services once per test run; returns its name."""
    name = "template_" + ("all" if len(services) > 1 else "_".join(services) or "platform")
    done = folder / f"{name}.done"
    with exclusive(folder, "templates"):
        if not done.exists():
            admin = await asyncpg.connect(address.admin_dsn)
            await admin.execute(f'drop database if exists "{name}"')
            await admin.execute(f'create database "{name}"')
            await admin.close()
            await provision(address.dsn("postgres", address.password, name), services, PASSWORD)
            done.touch()
    return name


@asynccontextmanager
async def cloned(address: PostgresAddress, template: str) -> AsyncIterator[TestDatabase]:
    """A copy of a template for one test, dropped afterwards."""
    name = f"test_{secrets.token_hex(8)}"
    admin = await asyncpg.connect(address.admin_dsn)
    try:
        await admin.execute(f'create database "{name}" template "{template}" strategy file_copy')
        yield TestDatabase(address, name)
        await admin.execute(f'drop database "{name}" with (force)')
    finally:
        await admin.close()


@asynccontextmanager
async def fresh_services(
    server: PostgresAddress, run_folder: Path, clock: FixedClock, machine: FakeMachine
) -> AsyncIterator[OpenDatabase]:
    """Opens a service's Database on a fresh, migrated copy: `db = await open_database("trigger")`.

    Asking twice for one service gives two pools on the same copy: two instances of it.
    """
    copies: dict[str, TestDatabase] = {}
    async with AsyncExitStack() as stack:

        async def open_database(service: str) -> Database:
            if service not in copies:
                template = await ensure_template(server, (service,), run_folder)
                copies[service] = await stack.enter_async_context(cloned(server, template))
            dsn = copies[service].dsn(service)
            db = await connect(dsn, service=service, clock=clock, machine=machine, size=5)
            stack.push_async_callback(db.close)
            return db

        yield open_database
