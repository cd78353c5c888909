"""The logs that the bus contract is proved on: in memory, the embedded broker, and a real Apache Kafka."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Protocol

from shared.bus.kafka import KafkaBus
from shared.bus.kafka_client import KafkaSettings
from shared.bus.memory import MemoryBus
from shared.bus.port import Bus
from shared.embedded.broker import ensure_broker, stop_broker


class Log(Protocol):
    """A log under test and the faults it can have."""

    forgets: bool
    """Whether its records are gone after `down` and `up`."""

    def bus(self) -> Bus:
        """Give another client of the same log."""
        ...

    async def down(self) -> None:
        """Take the broker away as a kill does."""
        ...

    async def up(self) -> None:
        """Bring it back at the same address."""
        ...

    async def lose(self) -> None:
        """Bring it back empty."""
        ...


class MemoryLog:
    """One MemoryBus, which every client shares."""

    forgets = False

    def __init__(self) -> None:
        self._bus = MemoryBus()

    def bus(self) -> MemoryBus:
        return self._bus

    async def down(self) -> None:
        self._bus.go_down()

    async def up(self) -> None:
        self._bus.come_back()

    async def lose(self) -> None:
        self._bus.lose_everything()


class TansuLog:
    """An embedded broker of its own: it starts in a tenth of a second."""

    forgets = True

    def __init__(self, folder: Path, bootstrap: str) -> None:
        self._folder = folder
        self.bootstrap = bootstrap

    @classmethod
    async def begin(cls, folder: Path) -> TansuLog:
        """Start the broker."""
        return cls(folder, await ensure_broker(folder))

    def bus(self) -> KafkaBus:
        return KafkaBus(quick(self.bootstrap))

    async def down(self) -> None:
        await stop_broker(self._folder)

    async def up(self) -> None:
        await ensure_broker(self._folder)

    async def lose(self) -> None:
        await self.down()
        await self.up()


class KafkaLog:
    """The broker that `tests/kafka/run.sh` started; its control script does the faults."""

    forgets = False

    def __init__(self, bootstrap: str, control: str) -> None:
        self.bootstrap = bootstrap
        self._control = control

    def bus(self) -> KafkaBus:
        return KafkaBus(quick(self.bootstrap))

    async def down(self) -> None:
        await self._run("kill")

    async def up(self) -> None:
        await self._run("start")

    async def lose(self) -> None:
        await self._run("wipe")

    async def lose_connection(self) -> None:
        """Kill the broker and start it again on its data."""
        await self._run("kill")
        await self._run("start")

    async def _run(self, what: str) -> None:
        process = await asyncio.create_subprocess_exec(self._control, what)
        if await process.wait() != 0:
            raise RuntimeError(f"{self._control} {what} failed")


def kafka_under_test() -> KafkaLog | None:
    """Find the real Apache Kafka, if a run offers one."""
    bootstrap = os.environ.get("KAFKA_BOOTSTRAP")  # noqa: TID251 - tests have no settings
    control = os.environ.get("KAFKA_CONTROL")  # noqa: TID251 - as above
    return KafkaLog(bootstrap, control) if bootstrap and control else None


def quick(bootstrap: str) -> KafkaSettings:
    """Settings for a test: less patience than in the field."""
    return KafkaSettings(bootstrap, request_seconds=5.0, drain_seconds=1.0)
