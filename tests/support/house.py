"""The five services in one event loop: real PostgreSQL, real SMTP, any log; every step is taken by hand.

Business time moves when a test says so, machine time too, and `settle` goes on until nothing is left to do.
So a story runs the same way every time, and `crash` may come at any step of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from shared.bus.memory import MemoryBus
from shared.bus.model import Outgoing
from shared.bus.port import Bus
from shared.contracts.envelope import Event, binary_headers
from shared.contracts.topics import Topic
from shared.contracts.touchpoints import Touchpoint
from shared.db.errors import RAISED, is_transient
from shared.runtime.clock import FixedClock
from shared.runtime.failpoints import Died
from shared.runtime.loops import Loop
from shared.security.access import Access
from shared.security.signatures import WebhookSecret, sign_standard
from shared.web.app import web_app
from shared.web.routing import join
from tests.support.databases import TestDatabase
from tests.support.logs import Log, MemoryLog
from tests.support.postbox import Mail, Postbox
from tests.support.rooms import ROOT, SERVICES, URL, WEBHOOK, Ground, Member, Running, build, topic_specs
from tests.support.standing import StandingMachine

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, int]]

Fault = Callable[["House"], Awaitable[None]]
"""Something that goes wrong in mid-flow: called in every round, between publishing and reading."""

RESTART_SECONDS = 61.0
"""Machine time that a dead process stays away: every lease and hold it had is over."""

SELDOM = frozenset({"programmes", "gauges", "weigh", "rejudge"})
"""Loops that find nothing new in a story; they run once after each start."""

ROUNDS = 2000
"""A house that does not come to rest after so many rounds never will."""

_DUE = """
select 'trigger' as service, due_at from trigger.plans where state = 'pending'
union all select 'trigger', next_step_at from trigger.asks where state = 'open'
union all select 'trigger', closes_at from trigger.asks where closed_at is null
union all select 'collector', ready_at from collector.settling
union all select 'dispatch', opens_at from dispatch.messages where state = 'planned' and opens_at is not null
union all select 'alerts', due_at from alerts.timers
union all select 'alerts', due_at from alerts.unconfirmed where state = 'waiting' and late_at is null
union all select 'alerts', due_at from alerts.held_notices where state = 'held'
"""
_NEXT_DUE = f"select min(due_at) from ({_DUE}) as due where due_at > $1"
_OVERDUE = f"select distinct service from ({_DUE}) as due where due_at <= $1"


@dataclass
class House:
    """The five services of one test and the world around them."""

    database: TestDatabase
    admin: asyncpg.Connection
    log: Log
    clock: FixedClock
    machine: StandingMachine
    post: Postbox = field(default_factory=Postbox)
    running: dict[str, Running] = field(default_factory=dict)
    crashes: int = 0
    told: int = 0
    rounds: int = 0
    fault: Fault | None = None
    programmes: Path = ROOT / "programmes"
    _bus: Bus | None = None
    _app: FastAPI | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve HTTP by whichever application runs now; clients outlive a crash."""
        assert self._app is not None
        await self._app(scope, receive, send)

    @property
    def bus(self) -> Bus:
        """The log as the services reach it now."""
        assert self._bus is not None
        return self._bus

    @property
    def access(self) -> Access:
        """Accounts and keys."""
        return self.running["trigger"].platform.access

    def service(self, name: str) -> Running:
        """One of the five."""
        return self.running[name]

    # --- what happens outside ------------------------------------------------------------------------

    async def tell(self, kind: str, *, id: str = "", by: str = "/crm", **data: Any) -> str:  # noqa: A002 - as CloudEvents names it
        """A backend writes a touchpoint to the log; returns the event's id."""
        self.told += 1
        event_id = id or f"e{self.told}"
        told = Touchpoint.model_validate({"occurred_at": self.clock.now(), **data})
        event = Event(event_id, by, kind, told.occurred_at, "", told.account.id if told.account else "", told)
        value = told.model_dump_json(exclude_defaults=True).encode()
        await self.bus.produce(
            [Outgoing(Topic.TOUCHPOINTS.value, event.key.encode(), value, binary_headers(event))]
        )
        return event_id

    async def call_webhook(self, kind: str, *, id: str, **data: Any) -> httpx.Response:  # noqa: A002 - as CloudEvents names it
        """A backend calls the generic webhook, and again while it gets no answer."""
        told = Touchpoint.model_validate({"occurred_at": self.clock.now(), **data})
        body = b'{"type": "%s", "data": %s}' % (
            kind.encode(),
            told.model_dump_json(exclude_defaults=True).encode(),
        )
        headers = sign_standard(id, self.machine.wall(), body, WebhookSecret.standard(WEBHOOK))
        async with self.browser() as client:
            return await self.survive(lambda: client.post("/webhooks/generic", content=body, headers=headers))

    def browser(self, address: str = "192.0.2.1", **headers: str) -> httpx.AsyncClient:
        """A client at an address."""
        transport = httpx.ASGITransport(self, client=(address, 40000))
        return httpx.AsyncClient(transport=transport, base_url=URL, headers=headers)

    def mails(self, to: str | None = None) -> list[Mail]:
        """Mails that arrived, all or those to one address."""
        return [mail for mail in self.post.mails if to in (None, mail.to)]

    # --- time ----------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Work until nothing is left to do now.

        Raises:
            AssertionError: it goes on for ever, or something due is not done.
        """
        await self._rest(self.running)

    async def _rest(self, names: Iterable[str]) -> None:
        for name in names:
            self.running[name].wake()
        for _ in range(ROUNDS):
            if not await self.survive(self._round):
                break
        else:
            raise AssertionError("the house never comes to rest")
        left = await self._overdue()
        assert not left, f"something is due and not done in {left}"

    async def until(self, at: datetime) -> None:
        """Let business time pass up to an instant, stopping at every moment when something is due."""
        await self.settle()
        while (due := await self.next_due()) is not None and due <= at:
            self.clock.set(due)
            await self._rest(await self._overdue())  # the others hear of it when it concerns them
        self.clock.set(max(at, self.clock.now()))
        await self.settle()

    async def later(self, **span: float) -> None:
        """Let a span of business time pass."""
        await self.until(self.clock.now() + timedelta(**span))

    async def next_due(self) -> datetime | None:
        """When the house has to do something next by itself."""
        due: datetime | None = await self.admin.fetchval(_NEXT_DUE, self.clock.now())
        return due

    async def _overdue(self) -> list[str]:
        """Services that have to do something by themselves now."""
        return [row[0] for row in await self.admin.fetch(_OVERDUE, self.clock.now())]

    async def wait(self, seconds: float) -> None:
        """Let machine time pass and do what it brings."""
        await self.machine.advance(seconds, self.admin)
        await self.settle()

    # --- life and death ------------------------------------------------------------------------------

    async def start(self) -> None:
        """Build the five services on what is there."""
        self._bus = self.log.bus()
        await self._bus.start()
        await self._bus.ensure_topics(topic_specs())
        ground = Ground(self.database, self._bus, self.clock, self.machine, self.post.port, self.programmes)
        for name in SERVICES:
            self.running[name] = await build(name, ground)
        app = web_app(self.access, URL)
        for one in self.running.values():
            join(app, one.service.router)
        self._app = app

    async def crash(self) -> None:
        """Kill the process that hosts the services, and start another one a minute later."""
        self.crashes += 1
        await self._vanish()
        await self.machine.advance(RESTART_SECONDS, self.admin)
        await self.start()

    async def close(self) -> None:
        """Let go of everything."""
        await self._vanish()
        await self.post.close()

    async def survive(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something; when the house dies of a failpoint over it, do it again in the next life."""
        while True:
            try:
                return await work()
            except BaseException as error:
                if not _died(error):
                    raise
            await self.crash()

    async def _vanish(self) -> None:
        for one in self.running.values():
            one.platform.db.pool.terminate()
        if not isinstance(self.log, MemoryLog):  # in memory, a dead member stays until its name joins anew
            async with asyncio.TaskGroup() as tasks:
                for one in self.running.values():
                    for member in one.members:
                        tasks.create_task(member.consumer.stop())
        if self._bus is not None:
            await self._bus.stop()
        self.running.clear()
        await self.post.hang_up()

    # --- one round of work ---------------------------------------------------------------------------

    async def _round(self) -> int:
        """Everybody works once; returns how much was done, which is more than 0 while the log is away."""
        done = 0
        for one in self.running.values():
            done += await self._act(one)
        done += await self._work()
        return done or await self._look_around()

    async def _work(self) -> int:
        done = sum(await self._each([one.relay.step for one in self.running.values()]))
        self.rounds += 1
        if self.fault is not None:
            await self.fault(self)
        return done + await self._consume()

    async def _act(self, one: Running) -> int:
        """What a bell calls a service to."""
        if not one.awake:
            return 0
        done = sum([await _exhaust(loop) for loop in one.service.loops if _is_called(loop)])
        one.awake = done > 0
        return done

    async def _look_around(self) -> int:
        """What services look after now and then, once nothing else is left to do."""
        done = 0
        for one in self.running.values():
            if one.curious:
                seldom = frozenset() if one.fresh else SELDOM
                loops = [loop for loop in one.service.loops if not _is_called(loop)]
                found = [await _exhaust(loop) for loop in loops if loop.name not in seldom]
                one.curious = one.fresh = False
                one.awake = sum(found) > 0
                done += sum(found)
        return done

    async def _consume(self) -> int:
        members = [(one, member) for one in self.running.values() for member in one.members]
        lags = await self._each([partial(self._lag, member) for _, member in members])
        behind = [pair for pair, lag in zip(members, lags, strict=True) if lag]
        for one, _ in behind:
            one.wake()
        await self._each([partial(member.step, self.bus) for _, member in behind])
        return len(behind)

    async def _lag(self, member: Member) -> int:
        return sum((await self.bus.lag(member.group, member.topics)).values())

    async def _each(self, works: Sequence[Work]) -> list[int]:
        """Do things with the log: in turn in memory, so that stories are alike, else all at once."""
        if isinstance(self.log, MemoryLog):
            return [await self._patiently(work) for work in works]
        async with asyncio.TaskGroup() as tasks:
            under_way = [tasks.create_task(self._patiently(work)) for work in works]
        return [task.result() for task in under_way]

    async def _patiently(self, work: Work) -> int:
        """Do something with the log; while it is away there is something left to do."""
        try:
            return await work()
        except RAISED as error:
            if not is_transient(error):
                raise
            await asyncio.sleep(0.05)
            return 1


class RisingLog(MemoryLog):
    """A log in memory whose records bear times that rise, so that two births of it can be told apart."""

    def __init__(self) -> None:
        super().__init__()
        seconds = count(1)
        self._bus = MemoryBus(lambda: float(next(seconds)))


@asynccontextmanager
async def opened(
    database: TestDatabase, start: datetime, log: Log | None = None, programmes: Path = ROOT / "programmes"
) -> AsyncIterator[House]:
    """A house on a fresh database, its programmes published."""
    admin = await asyncpg.connect(database.admin_dsn)
    try:
        machine = StandingMachine(start)
        await machine.stand(admin)
        house = House(database, admin, log or RisingLog(), FixedClock(start), machine)
        house.programmes = programmes
        await house.post.open()
        try:
            await house.survive(house.start)
            await house.settle()
            yield house
        finally:
            await house.close()
    finally:
        await admin.close()


def _is_called(loop: Loop) -> bool:
    return loop.woken and loop.name not in SELDOM


async def _exhaust(loop: Loop) -> int:
    done = 0
    while units := await loop.run():
        done += units
    return done


def _died(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return error.split(Died)[0] is not None
    return isinstance(error, Died)


def someone(name: str, company: str = "acme", **more: Any) -> dict[str, Any]:
    """A person of a company as a backend describes them."""
    person = {"id": f"{company}-{name}", "email": f"{name}@{company}.example", "name": f"{name.title()} Berg"}
    return person | more
