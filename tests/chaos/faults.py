"""Makes faults happen, mends them, and measures how long until everything moved on again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

import asyncpg
import httpx

from shared.embedded import processes
from shared.embedded.postgres import ensure_postgres
from shared.embedded.processes import EmbeddedError
from shared.embedded.smtp import Fault as MailFault
from shared.embedded.smtp import FaultKind as MailFaultKind
from shared.runtime.clock import Machine
from tests.chaos.backends import Backends
from tests.chaos.calendar import Calendar
from tests.chaos.fleet import Fleet
from tests.chaos.journal import Faulted, Journal, Outcome, Probed
from tests.chaos.progress import Probe, Stuck
from tests.chaos.proxy import Trouble, TroubleKind
from tests.chaos.schedule import Fault, FaultKind

_FIRED_EARLY = "select count(*) from trigger.asks where asked_at > $1"
_SKEW = """
create or replace function clock.machine_now() returns timestamptz
    language sql volatile as 'select clock_timestamp() + interval ''{} seconds''';
"""


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault that happened. `recovery` is machine seconds from its end to progress; None when it stuck."""

    fault: Fault
    at: float
    recovery: float | None
    alone: bool
    note: str = ""


@dataclass(slots=True)
class Breaker:
    """Strikes a fleet."""

    fleet: Fleet
    calendar: Calendar
    journal: Journal
    probe: Probe
    backends: Backends
    machine: Machine
    struck: list[Struck] = field(default_factory=list)
    _busy: int = 0
    _count: int = 0
    _postgres: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def strike(self, fault: Fault) -> Awaitable[Struck]:
        """Let a fault happen and be over; awaiting what is returned proves progress after it."""
        at = self.machine.monotonic()
        op = self.journal.sent(Faulted(fault.kind.value, fault.where, fault.how))
        alone, self._busy, self._count = self._busy == 0, self._busy + 1, self._count + 1
        try:
            note = await self._happen(fault)
        finally:
            self.journal.ended(op, Outcome.OK)
            self._busy -= 1
        return self._proved(Struck(fault, at, None, alone, note))

    async def _proved(self, struck: Struck) -> Struck:
        of_broker = struck.fault.kind in (FaultKind.BROKER, FaultKind.BROKER_LOST)
        others = self._count
        recovery: float | None = None
        known = others
        while recovery is None:
            try:
                recovery = await self.probe.progress(from_ack=of_broker)
            except Stuck:
                # Only what nothing else disturbed in the meantime is stuck; else look again.
                if known == self._count:
                    self.journal.noted(Probed("progress"), Outcome.FAIL)
                    break
                known = self._count
        alone = struck.alone and self._busy == 0 and others == self._count
        proved = replace(struck, recovery=recovery, alone=alone)
        self.struck.append(proved)
        return proved

    async def _happen(self, fault: Fault) -> str:
        match fault.kind:
            case FaultKind.KILL:
                return "" if self.fleet.instance(fault.where).send(signal.SIGKILL) else "was down"
            case FaultKind.STOP:
                await self._stop(fault)
            case FaultKind.POSTGRES:
                await self._crash_postgres(fault)
            case FaultKind.BROKER | FaultKind.BROKER_LOST:
                return await self._crash_broker(fault)
            case FaultKind.LINK:
                return await self._break_link(fault)
            case FaultKind.MAIL:
                await self._break_mail(fault)
            case FaultKind.CLOCK:
                return await self._jump(fault)
            case FaultKind.DISK:
                await self._fill_disk(fault)
            case FaultKind.RESTART:
                raise ValueError(f"{fault.kind} is no fault of a lane")
        return ""

    async def _stop(self, fault: Fault) -> None:
        """Stop a process for longer than its session; it wakes up believing that nothing happened."""
        instance = self.fleet.instance(fault.where)
        if instance.send(signal.SIGSTOP):
            await asyncio.sleep(fault.seconds)
            instance.send(signal.SIGCONT)

    async def _crash_postgres(self, fault: Fault) -> None:
        async with self._postgres:
            running = processes.recall(self.fleet.folder, "postgres")
            if running is not None:
                with suppress(ProcessLookupError):
                    os.kill(running.pid, signal.SIGKILL if fault.how == "kill" else signal.SIGQUIT)
            await asyncio.sleep(fault.seconds)
            await self._bring_postgres_back()

    async def _fill_disk(self, fault: Fault) -> None:
        """Leave PostgreSQL no byte to write: it refuses, or ends when that byte was its log's."""
        assert self.fleet.room is not None
        async with self._postgres:
            self.fleet.room.fill()
            await asyncio.sleep(fault.seconds)
            self.fleet.room.clear()
            await self._bring_postgres_back()

    async def _bring_postgres_back(self) -> None:
        for left in reversed(range(5)):
            try:
                await ensure_postgres(self.fleet.folder)
            except (EmbeddedError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                if not left:
                    raise
                await asyncio.sleep(0.5)
            else:
                return

    async def _crash_broker(self, fault: Fault) -> str:
        broker = self.fleet.broker
        await broker.kill()
        lost = fault.kind is FaultKind.BROKER_LOST or not broker.keeps
        if lost:
            await broker.lose()
            self.fleet.births += 1
        await asyncio.sleep(fault.seconds)
        await broker.start()
        if not lost:
            return ""
        return f"{await self.backends.tell_lost()} told again"

    async def _break_link(self, fault: Fault) -> str:
        trouble = Trouble(TroubleKind(fault.how), fault.share, 0.15 if fault.how == "delay" else 0.02)
        hit = await self.fleet.links.strike(fault.where, trouble)
        await asyncio.sleep(fault.seconds)
        await self.fleet.links.heal(fault.where)
        return f"{hit} connections"

    async def _break_mail(self, fault: Fault) -> None:
        name, _, code = fault.how.partition(" ")
        reply = f"{code} {code[0]}.3.0 as the campaign wants it" if code else ""
        wish = MailFault("*", MailFaultKind(name), reply, seconds=2.0, times=4)
        await self._mail_faults([asdict(wish)])
        await asyncio.sleep(fault.seconds)
        await self._mail_faults([])

    async def _mail_faults(self, faults: list[dict[str, object]]) -> None:
        address = f"http://127.0.0.1:{self.fleet.mail.http_port}/faults"
        transport = httpx.AsyncHTTPTransport(retries=3)
        async with httpx.AsyncClient(transport=transport, timeout=30) as client:
            (await client.put(address, json=faults)).raise_for_status()

    async def _jump(self, fault: Fault) -> str:
        """Let the clock of the database's machine jump and come back: nothing may fire by the wrong time."""
        async with self.calendar.frozen(), self._postgres:
            now = self.calendar.now()
            await self.calendar.set(now, 1.0)
            await asyncio.sleep(1.0)
            await self._skew(int(fault.how))
            await asyncio.sleep(fault.seconds)
            early = await self._fired_after(now + timedelta(seconds=60))
            await self._skew(0)
            await asyncio.sleep(2.5)
            # On from where it stands: never back, or what was done in these seconds came from the future.
            await self.calendar.set(now + timedelta(seconds=60), 0.0)
        return f"{early} fired early" if early else ""

    async def _skew(self, seconds: int) -> None:
        await self.fleet.direct.fetch(_SKEW.format(seconds))

    async def _fired_after(self, at: datetime) -> int:
        return int(await self.fleet.direct.value(_FIRED_EARLY, at))
