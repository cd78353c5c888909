"""A process that was told to stop still answers for a while, and says of itself that it is not ready."""

from __future__ import annotations

import asyncio

import httpx
import uvicorn
from fastapi import FastAPI

from shared.runtime.clock import FixedClock
from shared.runtime.host import _serve, _Server, _stop_check
from shared.runtime.http import probes
from shared.web.routing import join
from shared.web.streams import Streams
from tests.support.waiting import until

LONGER_THAN_THE_TEST = 600.0


async def test_requests_are_answered_while_gateways_turn_away(clock: FixedClock) -> None:
    stop = asyncio.Event()
    app = FastAPI()
    join(app, probes({"process": _stop_check(stop)}, clock))
    server = _Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    async with asyncio.TaskGroup() as tasks, httpx.AsyncClient() as client:
        serving = tasks.create_task(_serve(server, stop, LONGER_THAN_THE_TEST, Streams()))
        await until(lambda: _started(server))
        url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        assert (await client.get(f"{url}/readyz")).status_code == 200
        stop.set()
        refused = await client.get(f"{url}/readyz")
        assert (refused.status_code, refused.json()["checks"]["process"]) == (503, "stopping")
        assert (await client.get(f"{url}/livez")).status_code == 200
        serving.cancel()


async def test_it_ends_at_once_where_nobody_could_take_over(clock: FixedClock) -> None:
    stop = asyncio.Event()
    server = _Server(uvicorn.Config(FastAPI(), port=0, log_config=None, lifespan="off"))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_serve(server, stop, 0, Streams()))
        await until(lambda: _started(server))
        stop.set()
    assert server.finished.is_set()


async def _started(server: uvicorn.Server) -> bool:
    return server.started
