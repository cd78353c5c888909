"""Service processes with a supervisor that starts again whatever dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from shared.runtime.clock import Machine
from tests.chaos.broker import ROOT

PAUSE_SECONDS = 0.2
STOP_SECONDS = 25.0


@dataclass(slots=True)
class Process:
    """A process of a service; `code` is None while it runs, negative when a signal ended it."""

    pid: int
    code: int | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Nursery:
    """Starts processes and hears of their ends; see `tests.chaos.nursery`."""

    def __init__(self, program: asyncio.subprocess.Process) -> None:
        self._program = program
        self._living: dict[int, Process] = {}
        self._births: dict[str, asyncio.Future[Process]] = {}

    @classmethod
    async def open(cls) -> Nursery:
        """Start it; returns when it has imported everything."""
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.chaos.nursery"),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert program.stdout is not None
        if not await program.stdout.readline():
            raise RuntimeError("the services cannot be imported")
        return cls(program)

    async def listen(self) -> None:
        """Hear what it tells until it ends."""
        assert self._program.stdout is not None
        while line := await self._program.stdout.readline():
            told = json.loads(line)
            if "started" in told:
                process = self._living[told["pid"]] = Process(told["pid"])
                self._births.pop(told["started"]).set_result(process)
            else:
                process = self._living.pop(told["ended"])
                process.code = told["code"]
                process.ended.set()

    async def start(self, label: str, service: str, env: Mapping[str, str], log: Path) -> Process:
        """Start a service."""
        assert self._program.stdin is not None
        born = self._births[label] = asyncio.get_running_loop().create_future()
        order = {"label": label, "module": f"services.{service}", "env": dict(env), "log": str(log)}
        self._program.stdin.write(json.dumps(order).encode() + b"\n")
        await self._program.stdin.drain()
        process: Process = await born
        return process

    async def close(self) -> None:
        """End it; nothing that it started may still run."""
        assert self._program.stdin is not None
        self._program.stdin.close()
        await self._program.wait()


@dataclass(slots=True)
class Instance:
    """One of the instances of a service: its lasting name and port, its present process.

    Attributes:
        exits: return codes of processes that ended though nobody ended them.
    """

    service: str
    name: str
    port: int
    env: Mapping[str, str]
    log: Path
    machine: Machine
    nursery: Nursery
    held: bool = False
    asked: bool = False
    process: Process | None = None
    exits: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def label(self) -> str:
        return f"{self.service}-{self.name}"

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process is not None and self.process.code is None else None

    async def keep(self) -> None:
        """Run it, and again when it ended, until cancelled."""
        while True:
            if not self.held:
                self.process = await self.nursery.start(self.label, self.service, self.env, self.log)
                await self.process.ended.wait()
                if not (self.asked or self.held):
                    self.exits.append(self.process.code or 0)
                self.asked = False
            await asyncio.sleep(PAUSE_SECONDS)

    def send(self, number: signal.Signals) -> bool:
        """Send a signal to the present process; tells whether there was one."""
        if self.pid is None:
            return False
        self.asked = self.asked or number in (signal.SIGKILL, signal.SIGTERM)
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)
        return True

    async def restart(self) -> None:
        """End it in peace; the supervisor starts it again."""
        process = self.process
        if self.send(signal.SIGTERM) and process is not None:
            await process.ended.wait()

    async def end(self) -> None:
        """End it for good."""
        self.held = True
        if not self.send(signal.SIGTERM) or self.process is None:
            return
        self.send(signal.SIGCONT)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.process.ended.wait()
        except TimeoutError:
            self.send(signal.SIGKILL)
            await self.process.ended.wait()

    async def ready(self, client: httpx.AsyncClient) -> bool:
        """Ask its readiness as a load balancer does."""
        try:
            return (await client.get(f"{self.url}/readyz", timeout=3)).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False
