"""The collector as it runs: in the web application, all limits, checks and metrics on; no Kafka needed."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable

import uvicorn
import uvloop

from benchmarks.collector.fill import MASTERS, TOKENS, sealer
from services.collector.app import build
from services.collector.settings import Settings
from shared.bus.memory import MemoryBus
from shared.db.anchor import read_anchor
from shared.db.database import connect
from shared.runtime.clock import AnchoredClock, SystemMachine
from shared.runtime.hot import HotPaths
from shared.runtime.http import probes
from shared.runtime.memory import spare_startup
from shared.runtime.service import Platform
from shared.runtime.settings import PlatformSettings
from shared.security.access import Access
from shared.web.app import web_app

PLATFORM = {
    "database_password": "none",
    "kafka_bootstrap": "none",
    "master_keys": "none",
    "token_keys": "none",
    "blind_secret": "none",
}


async def serve(dsn: str, port: int) -> None:
    """Serve until told to stop."""
    assert MASTERS.current == 1  # noqa: S101 - the same keys as those that filled the database
    machine = SystemMachine()
    clock = AnchoredClock(machine)
    db = await connect(dsn, service="collector", clock=clock, machine=machine)
    async with db.read() as conn:
        clock.observe(await read_anchor(conn, machine))
    access = Access(db, clock, machine, secure=False)
    settings = PlatformSettings.model_validate({"database_url": dsn, **PLATFORM})
    platform = Platform(
        settings=settings, db=db, bus=MemoryBus(), clock=clock, machine=machine, sealer=sealer(),
        tokens=TOKENS, access=access,
    )  # fmt: skip
    service = await build(Settings(), platform)
    app = web_app(access, "http://127.0.0.1")
    app.include_router(probes({}, clock))
    app.include_router(service.router)
    # As the host does.
    spare_startup()
    config = uvicorn.Config(
        HotPaths(app, service.hot), host="127.0.0.1", port=port,
        access_log=False, log_config=None, server_header=False,
        proxy_headers=True, forwarded_allow_ips="127.0.0.1", lifespan="off",
    )  # fmt: skip
    await uvicorn.Server(config).serve()


def run(main: Callable[[str, int], Awaitable[None]]) -> None:
    """Entry of both servers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dsn")
    parser.add_argument("port", type=int)
    parser.add_argument("--loop", choices=["uvloop", "asyncio"], default="uvloop")
    given = parser.parse_args()

    async def served() -> None:
        await main(given.dsn, given.port)

    (uvloop.run if given.loop == "uvloop" else asyncio.run)(served())


if __name__ == "__main__":
    run(serve)
