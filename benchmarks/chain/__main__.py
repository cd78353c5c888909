"""P8: from an unhappy answer to the first word about its ticket, at half of what the chain can do."""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import quantiles

import httpx

from benchmarks.chain.fill import answer, fill
from benchmarks.chain.room import Room
from benchmarks.cluster import PASSWORD, Cluster, cluster
from benchmarks.kit import ROOT, Result, keep, say_load
from shared.embedded.broker import ensure_broker, stop_broker

PATIENCE_SECONDS = 60.0
HUNDREDTH = 98
_PORTS = iter(range(21_700, 21_799))


@dataclass(slots=True)
class Chain:
    """One side: where answers go, and who is told in the end."""

    name: str
    url: str
    room: Room
    numbers: Sequence[int]
    used: int = 0

    def take(self, many: int) -> Sequence[int]:
        """Surveys that nobody answered yet."""
        self.used += many
        return self.numbers[self.used - many : self.used]


async def main() -> None:
    """Set up both sides, find the rate, measure in turn."""
    parser = argparse.ArgumentParser(prog="make bench-chain")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--answers", type=int, default=200, help="a round and side")
    parser.add_argument("--rate", type=float, default=0, help="answers a second; 0: half of our capacity")
    given = parser.parse_args()
    load = say_load()
    found: tuple[list[float], list[float]] = ([], [])
    async with cluster("bench-chain") as server:
        bootstrap = await ensure_broker(server.home)
        try:
            async with _ours(server, bootstrap, given) as ours, _bare(server, bootstrap, given) as bare:
                for side in (ours, bare):
                    await _capacity(side, 20)
                rate = given.rate or min([await _capacity(side, given.answers) for side in (ours, bare)]) / 2
                print(f"{rate:.1f} answers a second", flush=True)
                for number in range(1, given.rounds + 1):
                    for side, mine in zip((ours, bare), found, strict=True):
                        mine.append(await _p99(side, given.answers, rate))
                    print(
                        f"round {number}  {found[0][-1]:7.0f} ms against {found[1][-1]:7.0f} ms", flush=True
                    )
        finally:
            await stop_broker(server.home)
    result = Result(
        figure="P8", what="an unhappy answer until the room is told of its ticket, p99",
        against="bare chain HTTP, PG, Kafka, PG, Kafka, PG", unit="ms", goal=2, at_least=False,
        ours=found[0], theirs=found[1], notes={"answers a second": f"{rate:.1f}"},
    )  # fmt: skip
    keep([result], "make bench-chain", load, rounds=given.rounds)


async def _capacity(side: Chain, many: int) -> float:
    """Answers a second when all are posted at once."""
    numbers, started = side.take(many), time.perf_counter()
    async with (
        httpx.AsyncClient(limits=httpx.Limits(max_connections=20)) as client,
        asyncio.TaskGroup() as tasks,
    ):
        for number in numbers:
            tasks.create_task(_post(client, side, number))
    await _all_told(side, numbers)
    return many / (max(side.room.told_at[number] for number in numbers) - started)


async def _p99(side: Chain, many: int, rate: float) -> float:
    """Milliseconds from a post to the room, in 99 of 100 cases, when answers come at a steady rate."""
    numbers, posted, started = side.take(many), {}, time.perf_counter()
    async with httpx.AsyncClient() as client, asyncio.TaskGroup() as tasks:
        for place, number in enumerate(numbers):
            await asyncio.sleep(max(0.0, started + place / rate - time.perf_counter()))
            posted[number] = time.perf_counter()
            tasks.create_task(_post(client, side, number))
    await _all_told(side, numbers)
    waits = [(side.room.told_at[number] - at) * 1000 for number, at in posted.items()]
    return quantiles(waits, n=100)[HUNDREDTH]


async def _post(client: httpx.AsyncClient, side: Chain, number: int) -> None:
    body = answer(number) | ({"number": number} if side.name == "bare" else {})
    got = await client.post(side.url, json=body, timeout=30)
    got.raise_for_status()


async def _all_told(side: Chain, numbers: Sequence[int]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not side.room.told_at.keys() >= set(numbers):
            side.room.arrived.clear()
            await side.room.arrived.wait()


@asynccontextmanager
async def _ours(server: Cluster, bootstrap: str, given: argparse.Namespace) -> AsyncIterator[Chain]:
    """Collector and alerts as they run, each in its process; answers are judged at once, not after 20 s."""
    await server.fresh("chain", "collector", "alerts")
    numbers = range(given.answers * (given.rounds + 3))
    async with server.admin("chain") as conn:
        await conn.execute("set search_path to collector")
        await fill(conn, numbers)
    environment = {
        "AFTERWORD_DATABASE_URL": f"postgresql://{server.address.host}:{server.address.port}/chain",
        "AFTERWORD_DATABASE_PASSWORD": PASSWORD,
        "AFTERWORD_KAFKA_BOOTSTRAP": bootstrap,
        "AFTERWORD_MASTER_KEYS": f"1:{base64.b64encode(b'm' * 32).decode()}",
        "AFTERWORD_TOKEN_KEYS": f"1:{base64.b64encode(b't' * 32).decode()}",
        "AFTERWORD_BLIND_SECRET": base64.b64encode(b"b" * 32).decode(),
        "AFTERWORD_LOG_LEVEL": "WARNING",
        "AFTERWORD_COLLECTOR_SETTLING_SECONDS": "0",
        "AFTERWORD_COLLECTOR_UNKNOWN_HAND_OVER_SECONDS": "0",
    }
    async with _room() as (room, address):
        environment["AFTERWORD_ALERTS_SLACK_WEBHOOK_URL"] = address
        environment["AFTERWORD_ALERTS_PAGE_MINUTES"] = "0"  # each ticket is told of, not the first of a storm
        environment["AFTERWORD_ALERTS_PER_MINUTE"] = '{"slack": 60000}'  # a room of our own takes what comes
        ports = [next(_PORTS), next(_PORTS)]
        running = [
            _start(f"services.{name}", server.home, environment | {"AFTERWORD_PORT": str(port)})
            for name, port in zip(("collector", "alerts"), ports, strict=True)
        ]
        try:
            for port in ports:
                await _ready(f"http://127.0.0.1:{port}/readyz")
            yield Chain("ours", f"http://127.0.0.1:{ports[0]}/v1/responses", room, numbers)
        finally:
            _end(running)


@asynccontextmanager
async def _bare(server: Cluster, bootstrap: str, given: argparse.Namespace) -> AsyncIterator[Chain]:
    await server.fresh("bare")
    numbers = range(given.answers * (given.rounds + 3))
    async with _room() as (room, address):
        port = next(_PORTS)
        environment = {
            "DSN": server.admin_dsn("bare"), "BOOTSTRAP": bootstrap, "ROOM": address, "PORT": str(port),
        }  # fmt: skip
        running = [_start("benchmarks.chain.bare", server.home, environment)]
        try:
            await _ready(f"http://127.0.0.1:{port}/")
            yield Chain("bare", f"http://127.0.0.1:{port}/v1/responses", room, numbers)
        finally:
            _end(running)


@asynccontextmanager
async def _room() -> AsyncIterator[tuple[Room, str]]:
    room = Room()
    server = await asyncio.start_server(room.serve, "127.0.0.1", 0)
    try:
        yield room, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/room"
    finally:
        server.close()


def _start(module: str, home: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    log = (home / f"{module}.log").open("wb")
    everything = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", module]
    return subprocess.Popen(command, cwd=ROOT, env=everything, stdout=log, stderr=log)  # noqa: S603 - our own programs


def _end(running: list[subprocess.Popen[bytes]]) -> None:
    for process in running:
        process.terminate()
    for process in running:
        process.wait(20)


async def _ready(url: str) -> None:
    """Wait until something answers there with anything but "not ready"."""
    async with httpx.AsyncClient() as client, asyncio.timeout(PATIENCE_SECONDS):
        for _ in count():
            try:
                if (await client.get(url)).status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.2)


if __name__ == "__main__":
    asyncio.run(main())
