"""P1: answers durable before the 2xx, beside FastAPI with one INSERT; loaded in turn on one PostgreSQL."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from benchmarks.collector.fill import fill
from benchmarks.kit import ROOT, Result, keep, say_load
from shared.db.migrations import provision, role_of
from shared.embedded.postgres import PostgresAddress, ensure_postgres, stop_postgres

HOME = ROOT / ".artifacts" / "bench-collector"
TOKENS = HOME / "tokens.txt"
SCRIPT = Path(__file__).with_name("answers.lua")
PASSWORD = "bench"  # noqa: S105 - of a database that lives for minutes
FASTEST = 12_000
"""Requests a second that surveys are made for; a server that is faster runs out of them."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one run of wrk saw of one server."""

    requests: int
    per_second: float
    p50: float
    p99: float
    errors: int
    cpu: float
    """Microseconds of the server's CPU per request."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server under load."""

    name: str
    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """CPU used so far, by user and system."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@dataclass(frozen=True, slots=True)
class Goal:
    """A ratio of figures.md: ours by theirs."""

    what: str
    unit: str
    value: Callable[[Round], float]
    limit: float
    at_least: bool


GOALS = (
    Goal("answers durable before the 2xx", "req/s", lambda one: one.per_second, 4.0, at_least=True),
    Goal("p99 of an answer, 64 connections", "ms", lambda one: one.p99, 0.5, at_least=False),
    Goal("server CPU of an answer", "µs", lambda one: one.cpu, 0.3, at_least=False),
)


async def main() -> int:
    """Set up, measure, print; 3 when wrk is missing."""
    parser = argparse.ArgumentParser(prog="make bench-collector")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--loop", choices=["uvloop", "asyncio"], default="uvloop")
    given = parser.parse_args()
    wrk = shutil.which("wrk")
    if wrk is None:
        print("wrk is missing, the load generator of this benchmark: apt-get install wrk", file=sys.stderr)
        return 3
    busy = say_load()
    HOME.mkdir(parents=True, exist_ok=True)
    address = await ensure_postgres(HOME)
    try:
        await _prepare(address, (given.rounds * given.seconds + 2) * FASTEST)
        load = Load(wrk, given.seconds, given.connections)
        with _servers(address, given.loop) as (ours, theirs):
            found = _measure(load, ours, theirs, given.rounds)
    finally:
        await stop_postgres(HOME)
    keep(_results(*found), "make bench-collector", busy, rounds=given.rounds)
    return 0


async def _prepare(address: PostgresAddress, surveys: int) -> None:
    await provision(address.admin_dsn, ("collector",), PASSWORD)
    conn = await asyncpg.connect(address.admin_dsn)
    for table in ("settling", "observations", "responses", "answers", "surveys"):
        await conn.execute(f"truncate collector.{table} cascade")
    await conn.execute("drop table if exists public.plain_answers")
    await conn.execute(
        "create table public.plain_answers (id bigint generated always as identity primary key, token text,"
        " score smallint, why text, at timestamptz default now())"
    )
    await conn.execute(f"grant insert on public.plain_answers to {role_of('collector')}")
    await conn.close()
    print(f"writing {surveys:,} surveys that wait for answers", flush=True)
    await fill(address.dsn(role_of("collector"), PASSWORD), surveys, TOKENS)


@contextmanager
def _servers(address: PostgresAddress, loop: str) -> Iterator[tuple[Server, Server]]:
    dsn = address.dsn(role_of("collector"), PASSWORD)
    running: list[subprocess.Popen[bytes]] = []
    try:
        servers = []
        for name, module in (("Afterword", "ours"), ("FastAPI + one INSERT", "peer")):
            port = _free_port()
            command = [sys.executable, "-m", f"benchmarks.collector.{module}", dsn, str(port), "--loop", loop]
            running.append(subprocess.Popen(command, cwd=ROOT))  # noqa: S603 - our own servers
            _wait_for(port)
            servers.append(Server(name, port, psutil.Process(running[-1].pid)))
        yield servers[0], servers[1]
    finally:
        for process in running:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"nothing listens on port {port}")


class Load:
    """Runs wrk; each survey is answered once, so every run begins where the last one ended."""

    def __init__(self, wrk: str, seconds: int, connections: int) -> None:
        self._command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(SCRIPT)]
        self._used = 0

    def run(self, server: Server) -> Round:
        """Load one server once."""
        before = server.cpu_seconds()
        target = [f"http://127.0.0.1:{server.port}", "--", str(TOKENS), str(self._used)]
        command = [*self._command, *target]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own words
        used = server.cpu_seconds() - before
        result = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
        requests, micros, p50, p99, errors = (float(part) for part in result.split()[1:])
        if server.name == "Afterword":
            self._used += int(requests) + 200  # those under way when wrk stopped
        return Round(
            requests=int(requests),
            per_second=requests / micros * 1e6,
            p50=p50,
            p99=p99,
            errors=int(errors),
            cpu=used / requests * 1e6,
        )


def _measure(load: Load, ours: Server, theirs: Server, rounds: int) -> tuple[list[Round], list[Round]]:
    for server in (ours, theirs):
        load.run(server)
    found: tuple[list[Round], list[Round]] = ([], [])
    for number in range(1, rounds + 1):
        for server, results in zip((ours, theirs), found, strict=True):
            one = load.run(server)
            results.append(one)
            print(
                f"round {number}  {server.name:22} {one.per_second:8,.0f} req/s  p50 {one.p50:6.1f} ms"
                f"  p99 {one.p99:6.1f} ms  {one.cpu:5.0f} µs CPU  {one.errors} errors",
                flush=True,
            )
    return found


def _results(ours: Sequence[Round], theirs: Sequence[Round]) -> list[Result]:
    errors = str(sum(one.errors for one in (*ours, *theirs)))
    return [
        Result(
            figure="P1", what=goal.what, against="FastAPI + one INSERT", unit=goal.unit, goal=goal.limit,
            at_least=goal.at_least, ours=[goal.value(one) for one in ours],
            theirs=[goal.value(one) for one in theirs], notes={"errors": errors},
        )
        for goal in GOALS
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
