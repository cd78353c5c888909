"""The five services put together but connected to nothing: what they would serve and read."""

import inspect
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import asyncpg
from fastapi import APIRouter
from pydantic import SecretStr

from shared.bus.memory import MemoryBus
from shared.db.database import Database
from shared.runtime.clock import FakeMachine, FixedClock
from shared.runtime.service import Platform, Service
from shared.runtime.settings import PlatformSettings
from shared.security.access import Access
from shared.security.keyring import KeyRing
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens

SERVICES = ("trigger", "dispatch", "collector", "scoring", "alerts")
_START = datetime(2027, 3, 2, 9, 0, tzinfo=UTC)
_SECRET = SecretStr("1:bm90IGEgc2VjcmV0LCBvbmx5IHRoaXJ0eS10d28gYnl0ZXM=")


async def assemble(name: str) -> Service:
    """Build one service by its own composition root, with default settings."""
    settings = import_module(f"services.{name}.settings").Settings()
    built: Any = import_module(f"services.{name}.app").build(settings, platform(name))
    service: Service = await built if inspect.isawaitable(built) else built
    return service


def platform(name: str) -> Platform:
    """Everything a service is given; the pool never connects."""
    clock, machine = FixedClock(_START), FakeMachine(_START)
    pool = asyncpg.create_pool("postgresql://127.0.0.1:1/never", min_size=0)
    db = Database(pool, service=name, clock=clock, machine=machine)
    return Platform(
        settings=PlatformSettings(
            database_url="postgresql://127.0.0.1:1/never",
            database_password=_SECRET,
            kafka_bootstrap="127.0.0.1:1",
            master_keys=_SECRET,
            token_keys=_SECRET,
            blind_secret=_SECRET,
        ),
        db=db,
        bus=MemoryBus(),
        clock=clock,
        machine=machine,
        sealer=Sealer(KeyRing(1, {1: b"m" * 32}), b"b" * 32, clock.now),
        tokens=Tokens(KeyRing(1, {1: b"t" * 32})),
        access=Access(db, clock, machine, secure=True),
    )


def paths(router: APIRouter, prefix: str = "") -> set[str]:
    """Return every path of a router and of those included in it, parameters as `{name}`."""
    found: set[str] = set()
    routes: list[Any] = router.routes
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            found.add(f"{prefix}{route.path}")
        else:
            found |= paths(inner, f"{prefix}{route.include_context.prefix}")
    return found
