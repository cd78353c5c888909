"""The whole system in processes of its own, each service twice, with a proxy in every link.

    services -> links (proxy) -> PostgreSQL, broker, mail sink

What drives and measures reaches PostgreSQL and the broker without the proxy.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from services.cli.deployment import SERVICES, kept_secrets
from shared.db.migrations import provision
from shared.embedded.mail import MailSink, ensure_mail_sink
from shared.embedded.postgres import NAME as POSTGRES
from shared.embedded.postgres import PostgresAddress, ensure_postgres
from shared.embedded.processes import HOST
from shared.embedded.stack import stop_all
from shared.runtime.clock import Machine
from tests.chaos.broker import ROOT, Broker, make_broker
from tests.chaos.direct import Direct
from tests.chaos.instances import Instance, Nursery
from tests.chaos.ports import own_port
from tests.chaos.proxy import Trouble
from tests.chaos.room import Room

PUBLIC_URL = "http://afterword.example"
INSTANCES = ("a", "b")
MAILERS = ("dispatch", "alerts")
STAND = "update clock.anchor set business_at = $1, machine_at = clock.machine_now(), rate = $2"
"""Moves business time to an instant, from where it goes on at a rate; 0 stands."""


@dataclass(slots=True)
class Links:
    """The proxy's process; the names of its links are `postgres.<service>`, `mail.<service>` and `broker`."""

    process: asyncio.subprocess.Process
    ports: dict[str, int]
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def open(self, link: str, target: int) -> None:
        """Begin to serve a link."""
        await self._order({"do": "open", "link": link, "target": target, "port": self.ports[link]})

    async def strike(self, link: str, trouble: Trouble) -> int:
        """Break a link; gives how many connections that hit."""
        wish = {"do": "strike", "link": link, "kind": trouble.kind, "share": trouble.share}
        return await self._order(wish | {"seconds": trouble.seconds})

    async def heal(self, link: str) -> None:
        """Mend a link."""
        await self._order({"do": "heal", "link": link})

    async def _order(self, order: dict[str, object]) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        async with self._turn:
            self.process.stdin.write(json.dumps(order).encode() + b"\n")
            await self.process.stdin.drain()
            answer = json.loads(await self.process.stdout.readline())
        return int(answer["hit"])


@dataclass(slots=True)
class Fleet:
    """Everything that runs, and what is needed to talk to it and to break it."""

    folder: Path
    machine: Machine
    postgres: PostgresAddress
    broker: Broker
    mail: MailSink
    links: Links
    secrets: dict[str, str]
    nursery: Nursery
    direct: Direct
    room: Room | None = None
    """PostgreSQL's file system, where it has one of its own."""
    instances: list[Instance] = field(default_factory=list)
    births: int = 1

    def of(self, service: str) -> list[Instance]:
        """The instances of a service."""
        return [one for one in self.instances if one.service == service]

    def instance(self, label: str) -> Instance:
        """The instance `service-name`."""
        return next(one for one in self.instances if one.label == label)


@asynccontextmanager
async def running(
    folder: Path, machine: Machine, start: datetime, *, bounded: bool = False
) -> AsyncIterator[Fleet]:
    """Start everything in a folder, business time standing at `start`; all of it ends with the block.

    Args:
        bounded: give PostgreSQL a disk of its own that can be filled.

    Raises:
        NoRoom: no disk can be made here.
    """
    room = await Room.mounted(folder / POSTGRES) if bounded else None
    fleet = await _foundation(folder, machine, room)
    await fleet.direct.fetch(STAND, start, 0.0)
    fleet.instances = [await _instance(fleet, service, name) for service in SERVICES for name in INSTANCES]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fleet.nursery.listen())
        keepers = [tasks.create_task(one.keep()) for one in fleet.instances]
        try:
            yield fleet
        finally:
            async with asyncio.TaskGroup() as ends:
                for one in fleet.instances:
                    ends.create_task(one.end())
            for keeper in keepers:
                keeper.cancel()
            await _tear_down(fleet)


async def _foundation(folder: Path, machine: Machine, room: Room | None) -> Fleet:
    postgres = await ensure_postgres(folder)
    mail = await ensure_mail_sink(folder)
    names = ["broker", *(f"postgres.{s}" for s in SERVICES), *(f"mail.{s}" for s in MAILERS)]
    ports = {name: await own_port(folder, f"proxy.{name}") for name in names}
    links = Links(await _proxy(), ports)
    broker = await make_broker(folder, ports["broker"])
    await links.open("broker", broker.port)
    for service in SERVICES:
        await links.open(f"postgres.{service}", postgres.port)
    for service in MAILERS:
        await links.open(f"mail.{service}", mail.smtp_port)
    secrets = kept_secrets(folder)
    await provision(postgres.admin_dsn, SERVICES, secrets["database_password"])
    nursery, direct = await Nursery.open(), Direct(postgres.admin_dsn)
    return Fleet(folder, machine, postgres, broker, mail, links, secrets, nursery, direct, room)


async def _proxy() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.proxy"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


async def _instance(fleet: Fleet, service: str, name: str) -> Instance:
    port = await own_port(fleet.folder, f"http.{service}.{name}")
    links, secrets = fleet.links.ports, fleet.secrets
    # Where the broker cannot be told its proxy's address, its link cannot be broken.
    bootstrap = links["broker"] if fleet.broker.keeps else fleet.broker.port
    env = {
        "PATH": os.defpath,
        "PYTHONUNBUFFERED": "1",
        "AFTERWORD_DATABASE_URL": f"postgresql://{HOST}:{links[f'postgres.{service}']}/afterword",
        "AFTERWORD_KAFKA_BOOTSTRAP": f"{HOST}:{bootstrap}",
        "AFTERWORD_PUBLIC_URL": PUBLIC_URL,
        "AFTERWORD_PORT": str(port),
        "AFTERWORD_INSTANCE": name,
        "AFTERWORD_DATA_DIR": str(fleet.folder),
        "AFTERWORD_TRIGGER_WEBHOOK_SECRETS": secrets["webhook_secret"],
        "AFTERWORD_TRIGGER_ZENDESK_SECRETS": secrets["zendesk_secret"],
        "AFTERWORD_TRIGGER_OWN_DOMAINS": "nordlicht.example",
        "AFTERWORD_ALERTS_PAGE_MINUTES": "0",  # a campaign is shorter than a quarter of an hour
    }
    needed = ("master_keys", "token_keys", "blind_secret", "database_password")
    env |= {f"AFTERWORD_{key.upper()}": secrets[key] for key in needed}
    if service in MAILERS:
        env[f"AFTERWORD_{service.upper()}_SMTP_PORT"] = str(links[f"mail.{service}"])
    log = fleet.folder / f"{service}-{name}.log"
    return Instance(service, name, port, env, log, fleet.machine, fleet.nursery)


async def _tear_down(fleet: Fleet) -> None:
    await fleet.nursery.close()
    fleet.direct.close()
    fleet.links.process.terminate()
    await fleet.links.process.wait()
    if fleet.broker.keeps:
        with suppress(RuntimeError):
            await fleet.broker.kill()
    await stop_all(fleet.folder)
    if fleet.room:
        await fleet.room.unmount()
