"""The load of a campaign: backends tell at a pace, people act on what arrives, all of it in the journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

from demo.chance import Chance
from demo.mails import Sink
from shared.db.database import connect
from shared.runtime.clock import SystemMachine
from shared.security.access import Access
from shared.security.keyring import KeyRing
from shared.security.people import NewUser
from shared.security.roles import Role, Scope
from shared.security.tokens import Tokens
from tests.chaos.backends import Backends
from tests.chaos.calendar import Calendar
from tests.chaos.fleet import Fleet
from tests.chaos.gateway import Gateway
from tests.chaos.journal import Journal, Planted
from tests.chaos.people import Town
from tests.chaos.world import OWNERS, Touch, canary, leaving, touch

READ_SECONDS = 0.3
DOUBLED = 0.06
"""Share of touches that are told twice."""
LEAVING = 0.03
"""Share of people who ask to be forgotten."""
STAY_SECONDS = 40.0


class Load:
    """Drives backends and people until closed."""

    def __init__(
        self, backends: Backends, town: Town, journal: Journal, sink: Sink, per_second: float
    ) -> None:
        self.backends = backends
        self.town = town
        self._journal = journal
        self._sink = sink
        self._per_second = per_second
        self._telling = asyncio.Event()
        self._telling.set()
        self._reading = asyncio.Event()
        self._reading.set()
        self._tales: set[asyncio.Task[None]] = set()
        self._deeds: set[asyncio.Task[None]] = set()
        self.events = 0
        self.mails = 0

    async def run(self) -> None:
        """Tell and act until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell(tasks))
            tasks.create_task(self._read(tasks))

    def hush(self) -> None:
        """Tell nothing new from now on; people go on."""
        self._telling.clear()

    async def told(self) -> None:
        """Wait until backends know of all that they told that it was taken."""
        while self._tales:
            await asyncio.wait(set(self._tales))

    async def still(self) -> None:
        """Let nobody begin anything new, and wait until people have done what they meant to do."""
        self._reading.clear()
        while self._deeds:
            await asyncio.wait(set(self._deeds))

    async def _tell(self, tasks: asyncio.TaskGroup) -> None:
        machine = SystemMachine()
        begun = machine.monotonic()
        while True:
            await self._telling.wait()
            await asyncio.sleep(max(0.0, begun + self.events / self._per_second - machine.monotonic()))
            happening = touch(self.town.chance, self.events, self.town.calendar.now())
            _spawn(tasks, self._tales, self._live(happening))
            if self.town.chance.happens(DOUBLED, "doubled", self.events):
                _spawn(tasks, self._tales, self.backends.tell(happening))
            self.events += 1

    async def _live(self, happening: Touch) -> None:
        """Tell of somebody, and of a few some time later that they want to be forgotten."""
        name, chance = canary(happening.number), self.town.chance
        if not happening.poison:
            self._journal.noted(Planted(f"c{happening.number}", name))
        await self.backends.tell(happening)
        if not happening.poison and chance.happens(LEAVING, "leaves", happening.number):
            await asyncio.sleep(STAY_SECONDS * chance.share("stays", happening.number))
            goodbye = leaving(happening.number, self.town.calendar.now())
            self._journal.noted(Planted(f"c{happening.number}", name, goodbye.id))
            await self.backends.tell(goodbye)

    async def _read(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            await self._reading.wait()
            for mail in self._sink.new():
                self.mails += 1
                _spawn(tasks, self._deeds, self.town.receive(mail))
            await asyncio.sleep(READ_SECONDS)


def _spawn(
    tasks: asyncio.TaskGroup, kept: set[asyncio.Task[None]], work: Coroutine[None, None, None]
) -> None:
    task = tasks.create_task(work)
    kept.add(task)
    task.add_done_callback(kept.discard)


@asynccontextmanager
async def prepared(
    fleet: Fleet, gateway: Gateway, calendar: Calendar, journal: Journal, seed: str, per_second: float
) -> AsyncIterator[Load]:
    """A load that is ready to run: people have accounts, programs have keys."""
    machine = SystemMachine()
    dsn = fleet.postgres.dsn("afterword_trigger", fleet.secrets["database_password"])
    db = await connect(dsn, service="trigger", clock=calendar, machine=machine, size=2)
    try:
        access = Access(db, calendar, machine, secure=False)
        reps = {}
        for owner in OWNERS:
            invited = await access.invite(NewUser(owner, owner.partition("@")[0].title(), Role.REP))
            reps[owner] = invited.user.id
        _, key = await access.create_key("campaign", [Scope.TICKETS_READ, Scope.TICKETS_WRITE])
    finally:
        await db.close()
    backends = Backends(fleet, gateway, journal)
    tokens = Tokens(KeyRing.parse(fleet.secrets["token_keys"], "token_keys"))
    town = Town(gateway, calendar, journal, Chance(seed), tokens, key, reps)
    try:
        yield Load(backends, town, journal, Sink(fleet.folder / "mail"), per_second)
    finally:
        await backends.close()
