"""The broker of a fleet: Apache Kafka where Java is, else the embedded one, which forgets by nature."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shared.embedded import broker as tansu
from tests.chaos.ports import own_port

ROOT = Path(__file__).resolve().parents[2]
CONTROL = ROOT / "tests" / "kafka" / "broker.sh"
_JARS = 'not_run() { echo "$*" >&2; exit 3; }; source "$root/tests/kafka/jars.sh" >&2; echo "$KAFKA_LIBS"'


class Broker(Protocol):
    """A broker that can be taken away and brought back."""

    keeps: bool
    """Whether its records outlive its own end."""
    port: int
    """Where clients are to begin."""
    direct: str
    """`host:port` for clients that are not to notice the proxy."""
    why: str
    """Why it is not the real one; "" when it is."""

    async def start(self) -> None:
        """Bring it up at its address; returns when it takes connections."""
        ...

    async def kill(self) -> None:
        """End it at once."""
        ...

    async def lose(self) -> None:
        """Remove all that it kept, while it is down."""
        ...


@dataclass(slots=True)
class ApacheKafka:
    """Apache Kafka by its control script."""

    state: Path
    libs: str
    port: int
    direct: str
    keeps: bool = True
    why: str = ""

    async def start(self) -> None:
        await self._run("start")

    async def kill(self) -> None:
        await self._run("kill")

    async def lose(self) -> None:
        removed = await asyncio.create_subprocess_exec("rm", "-rf", str(self.state / "data"))
        await removed.wait()

    async def _run(self, what: str) -> None:
        env = {"PATH": os.defpath, "KAFKA_STATE": str(self.state), "KAFKA_LIBS": self.libs}
        process = await asyncio.create_subprocess_exec(
            str(CONTROL), what, env=env, stderr=asyncio.subprocess.PIPE
        )
        _, said = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"broker.sh {what}: {said.decode()[-2000:]}")


@dataclass(slots=True)
class Tansu:
    """The embedded broker: it loses everything with each end."""

    folder: Path
    port: int
    direct: str
    why: str
    keeps: bool = False

    async def start(self) -> None:
        await tansu.ensure_broker(self.folder)

    async def kill(self) -> None:
        await tansu.stop_broker(self.folder)

    async def lose(self) -> None:
        """There is nothing that it kept."""


async def make_broker(folder: Path, proxy_port: int) -> Broker:
    """Start the broker of a folder; clients that begin at its port are sent to the proxy's."""
    libs, why = await _jars()
    if why:
        bootstrap = await tansu.ensure_broker(folder)
        return Tansu(folder, int(bootstrap.rpartition(":")[2]), bootstrap, why)
    state = folder / "kafka"
    state.mkdir(parents=True, exist_ok=True)
    ports = {name: await own_port(folder, name) for name in ("port", "controller-port", "direct-port")}
    for name, number in (ports | {"proxy-port": proxy_port}).items():
        (state / name).write_text(str(number))
    kafka = ApacheKafka(state, libs, ports["port"], f"127.0.0.1:{ports['direct-port']}")
    await kafka.start()
    return kafka


async def _jars() -> tuple[str, str]:
    """The directory of Kafka's jars, or why there is none."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", _JARS),
        env={**os.environ, "root": str(ROOT)},  # noqa: TID251 - Maven and Java need theirs
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    found, said = await process.communicate()
    return (found.decode().strip(), "") if process.returncode == 0 else ("", said.decode().strip())
