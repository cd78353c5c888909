"""One campaign from start to audit: load, soak, faults, rolling restart, drain, audit, result."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from demo.steps import NotQuiet, StopWatch
from shared.runtime.clock import SystemMachine
from tests.chaos.broker import ROOT
from tests.chaos.calendar import Calendar
from tests.chaos.evidence import Report
from tests.chaos.faults import Breaker, Struck
from tests.chaos.fleet import Fleet, running
from tests.chaos.gateway import Gateway
from tests.chaos.gathering import examined
from tests.chaos.instances import Instance
from tests.chaos.journal import Faulted, Journal, Outcome, Probed
from tests.chaos.load import Load, prepared
from tests.chaos.progress import Probe
from tests.chaos.schedule import PATIENT, SERVICES, Counts, Fault, Schedule, schedule
from tests.chaos.soak import Flatness, soak

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
STEP = timedelta(hours=2)
STEP_SECONDS = 1.0
ENDING_STEP = timedelta(hours=6)
"""Shorter than any send window, so that none is stepped over."""
IDLE_STEP = timedelta(hours=18)
"""Where nobody is to be asked, reminded or alarmed within it, only surveys close."""
ENDING_SECONDS = 0.2
LATE = timedelta(days=1)
"""A plan for an account takes a step to find its people, and another one to ask them."""
READY_SECONDS = 120.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a campaign is to do.

    Attributes:
        seed: gives schedule, load and what people do.
        per_second: touches told.
        warm_up: seconds of load before anything else.
        soak: seconds of F9; 0 for none.
        rolls: rolling restarts of all services (F7).
        ending_days: business days that pass after the last fault, so that what is due later comes due.
    """

    seed: str
    counts: Counts
    per_second: float = 4.0
    warm_up: float = 8.0
    soak: float = 0.0
    rolls: int = 0
    ending_days: int = 40


@dataclass(slots=True)
class Rolled:
    """One rolling restart: what clients saw while it lasted."""

    seconds: float
    requests: int
    early: int
    """Links that were faster than their surveys."""
    failures: dict[str, int]


@dataclass(slots=True)
class Result:
    """What a campaign came to."""

    plan: Plan
    broker: str
    struck: list[Struck] = field(default_factory=list)
    flatness: Flatness | None = None
    rolled: list[Rolled] = field(default_factory=list)
    unplanned_exits: dict[str, list[int]] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    report: Report | None = None
    defects: list[str] = field(default_factory=list)
    seconds: float = 0.0
    day: str = ""
    commit: str = ""
    load: float = 0.0

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, repeated or stuck."""
        stuck = any(one.recovery is None for one in self.struck)
        early = any("early" in one.note for one in self.struck)
        failed = any(one.failures for one in self.rolled)
        dirty = self.report is None or not self.report.clean
        return not (stuck or early or failed or dirty or self.defects or self.unplanned_exits)


@dataclass(slots=True)
class _Stage:
    """Everything that takes part."""

    fleet: Fleet
    gateway: Gateway
    calendar: Calendar
    journal: Journal
    load: Load
    breaker: Breaker
    machine: SystemMachine
    moving: asyncio.Task[None]


async def campaign(plan: Plan, folder: Path, say: Say) -> Result:
    """Run it; everything that it leaves lies in the folder."""
    machine = SystemMachine()
    begun = machine.monotonic()
    async with _staged(plan, folder, machine) as stage:
        kind = "Apache Kafka" if stage.fleet.broker.keeps else f"Tansu ({stage.fleet.broker.why})"
        result = Result(plan, kind)
        await _play(plan, stage, result, say)
        say("audit")
        result.report = await examined(stage.fleet, folder / "journal.ndjson", LATE)
        result.totals |= await _totals(stage)
    result.seconds = machine.monotonic() - begun
    result.day, result.commit = f"{machine.wall():%Y-%m-%d}", await _commit()
    result.load = round(os.getloadavg()[2], 1)
    return result


async def _commit() -> str:
    git = await asyncio.create_subprocess_exec(
        "git", "rev-parse", "--short", "HEAD", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await git.communicate()
    return said.decode().strip()


@asynccontextmanager
async def _staged(plan: Plan, folder: Path, machine: SystemMachine) -> AsyncIterator[_Stage]:
    async with running(folder, machine, START, bounded=plan.counts.disks > 0) as fleet:
        calendar = Calendar(fleet, START, STEP, STEP_SECONDS)
        gateway = Gateway(fleet)
        with Journal(folder / "journal.ndjson", plan.seed, calendar, machine) as journal:
            async with prepared(fleet, gateway, calendar, journal, plan.seed, plan.per_second) as load:
                probe = Probe(fleet, calendar, journal, machine)
                breaker = Breaker(fleet, calendar, journal, probe, load.backends, machine)
                async with asyncio.TaskGroup() as tasks:
                    watching = tasks.create_task(gateway.watch())
                    await _whole(gateway)
                    loading = tasks.create_task(load.run())
                    moving = tasks.create_task(calendar.run())
                    yield _Stage(fleet, gateway, calendar, journal, load, breaker, machine, moving)
                    for task in (loading, moving, watching):
                        task.cancel()
                await gateway.aclose()


async def _play(plan: Plan, stage: _Stage, result: Result, say: Say) -> None:
    say("warm-up")
    await asyncio.sleep(plan.warm_up)
    await stage.breaker.probe.progress()
    if plan.soak:
        say(f"soak for {plan.soak:.0f} s")
        result.flatness = await soak(stage.fleet, plan.soak)
        result.defects += result.flatness.leaks
    await _break(schedule(plan.seed, plan.counts), stage, say)
    result.struck = stage.breaker.struck
    result.unplanned_exits = {one.label: one.exits for one in stage.fleet.instances if one.exits}
    await _whole(stage.gateway)
    for number in range(plan.rolls):
        say(f"rolling restart {number + 1}")
        result.rolled.append(await _roll(stage))
    say("ending")
    await _end(plan, stage, result)


async def _break(faults: Schedule, stage: _Stage, say: Say) -> None:
    """Follow all lanes, then strike what is to strike alone."""
    total = sum(len(lane) for lane in faults.lanes.values()) + len(faults.alone)

    async def tell(proof: Awaitable[Struck]) -> None:
        one = await proof
        took = "STUCK" if one.recovery is None else f"{one.recovery:.1f} s"
        fault = one.fault
        say(f"{len(stage.breaker.struck)}/{total} {fault.kind} {fault.where} {fault.how} {one.note}: {took}")

    async def follow(lane: Sequence[Fault], tasks: asyncio.TaskGroup, *, patient: bool) -> None:
        for fault in lane:
            await asyncio.sleep(fault.rest)
            proof = tasks.create_task(tell(await stage.breaker.strike(fault)))
            if patient:
                await proof

    async with asyncio.TaskGroup() as tasks:
        for name, lane in faults.lanes.items():
            tasks.create_task(follow(lane, tasks, patient=name in PATIENT))
    async with asyncio.TaskGroup() as tasks:
        await follow(faults.alone, tasks, patient=True)


async def _roll(stage: _Stage) -> Rolled:
    """Restart all services side by side, as a release does: of each one instance after another (F7)."""
    gateway = stage.gateway
    begun, requests, early = stage.machine.monotonic(), gateway.requests, gateway.early
    failures = gateway.failures.copy()
    async with asyncio.TaskGroup() as tasks:
        for service in SERVICES:
            tasks.create_task(_roll_service(stage, service))
    await stage.breaker.probe.progress()
    return Rolled(
        stage.machine.monotonic() - begun,
        gateway.requests - requests,
        gateway.early - early,
        dict(gateway.failures - failures),
    )


async def _roll_service(stage: _Stage, service: str) -> None:
    """Restart each instance in peace, the next when the one before is ready again."""
    for one in stage.fleet.of(service):
        op = stage.journal.sent(Faulted("restart", one.label))
        await one.restart()
        await _back(stage, one)
        stage.journal.ended(op, Outcome.OK)


async def _back(stage: _Stage, one: Instance) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while one not in stage.gateway.ready(one.service):  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.1)


async def _whole(gateway: Gateway) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while not gateway.whole:  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.1)


async def _end(plan: Plan, stage: _Stage, result: Result) -> None:
    """Tell nothing new, let people finish, let the rest of the stories end unanswered, and wait for rest."""
    stage.load.hush()
    await stage.load.told()
    await stage.load.still()
    stage.moving.cancel()
    until = stage.calendar.now() + timedelta(days=plan.ending_days)
    while stage.calendar.now() < until:
        await stage.calendar.step(await _stride(stage))
        await asyncio.sleep(ENDING_SECONDS)
    await _whole(stage.gateway)
    watch = StopWatch(stage.fleet.postgres.admin_dsn, stage.calendar.noticed)
    try:
        await watch.quiet(stage.calendar.now())
        stage.journal.noted(Probed("drained"))
    except NotQuiet as error:
        result.defects.append(f"no rest: {error}")
        stage.journal.noted(Probed("drained"), Outcome.FAIL)
    finally:
        await watch.close()


async def _stride(stage: _Stage) -> timedelta:
    """How far business time can go on without stepping over anything."""
    following: datetime | None = await stage.fleet.direct.value(_NEXT)
    idle = following is None or following >= stage.calendar.now() + IDLE_STEP
    return IDLE_STEP if idle else ENDING_STEP


_NEXT = """
select min(due) from (
    select min(due_at) from trigger.plans where state = 'pending'
    union all select min(next_step_at) from trigger.asks where state = 'open'
    union all select min(opens_at) from dispatch.messages where state = 'planned'
    union all select min(due_at) from alerts.timers
) as next (due)
"""


async def _totals(stage: _Stage) -> dict[str, int]:
    direct = stage.fleet.direct
    counted = {name: int(await direct.value(statement)) for name, statement in _TOTALS.items()}
    seen = {"events told": stage.load.events, "mails read": stage.load.mails}
    return seen | {f"people: {name}": n for name, n in sorted(stage.load.town.counts.items())} | counted


_TOTALS = {
    "planned": "select count(*) from trigger.plans",
    "asked": "select count(*) from trigger.asks",
    "handed over": "select count(*) from dispatch.messages where state = 'handed_over'",
    "uncertain": "select count(*) from dispatch.messages where state = 'uncertain'",
    "failed": "select count(*) from dispatch.messages where state = 'failed'",
    "answers": "select count(*) from collector.answers",
    "held": "select count(*) from collector.responses where state = 'held'",
    "tickets": "select count(*) from alerts.tickets",
    "dead letters": "select count(*) from trigger.dead_letters",
}
