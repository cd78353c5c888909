"""P5 and P6: what a claim costs among many pending plans, and while an old snapshot keeps the dead rows."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from typing import Any

import asyncpg

from benchmarks.cluster import Cluster
from benchmarks.company import Company, drop_indexes, publish_programmes, sealer, write_people, write_plans
from benchmarks.kit import Result
from services.trigger.domain.model import PlanState
from services.trigger.store import plans
from services.trigger.worker.due import DuePlans
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.values import altered

LIMIT = 500
CLAIMS_A_ROUND = 20
MEAN_DELAY = timedelta(days=30.5)


@dataclass(slots=True)
class Crowd:
    """A database with so many plans pending at any time, and its clock, which only goes forward."""

    server: Cluster
    name: str
    pending: int
    people: int
    clock: FixedClock = field(init=False)
    company: Company = field(init=False)

    def __post_init__(self) -> None:
        self.company = Company(self.people, every=MEAN_DELAY / self.pending)
        self.clock = FixedClock(self.company.at(0))

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Database]:
        """The service's pool, under the clock of the crowd."""
        db = await self.server.database(self.name, "trigger", self.clock)
        try:
            yield db
        finally:
            await db.close()

    async def prepare(self) -> None:
        """Find the database as an earlier run left it, or fill it."""
        if not await self.server.holds(self.name, "trigger"):
            await self._fill()
        async with self.server.admin(self.name) as conn:
            now = await conn.fetchval("select now_at from public.crowd")
        await self.server.warm(self.name, "trigger")
        self.clock.set(now)

    async def advance(self, due: int) -> None:
        """Let time pass until so many more plans are due; as many new ones are planned."""
        before, after = self.clock.now(), self.clock.now() + due * self.company.every
        async with self.server.admin(self.name) as conn:
            await conn.execute("set search_path to trigger")
            first, last = self.company.event(before) + 1, self.company.event(after)
            await write_plans(conn, self.company, first, last)
            await conn.execute("update public.crowd set now_at = $1", after)
        self.clock.set(after)

    async def _fill(self) -> None:
        """Everything that is pending after 61 days, when the longest delay has passed once."""
        started = time.perf_counter()
        print(f"filling {self.name}: {self.pending:,} plans, {self.people:,} people", flush=True)
        await self.server.fresh(self.name, "trigger")
        async with self.opened() as db:
            await publish_programmes(db, self.server.home / "programmes")
        now = self.company.at(0) + timedelta(days=61)
        async with self.server.admin(self.name) as conn:
            await write_people(conn, self.people)
            again = await drop_indexes(conn, "plans")
            last = self.company.event(now)
            step = 500_000
            for first in range(0, last + 1, step):
                await write_plans(conn, self.company, first, min(last, first + step - 1), due_after=now)
            for statement in again:
                await conn.execute(statement, timeout=1800)
            await conn.execute("vacuum analyze", timeout=1800)
            await conn.execute("create table public.crowd as select $1::timestamptz as now_at", now)
            await conn.execute("checkpoint", timeout=600)
        await self.server.keep(self.name, "trigger")
        print(f"  filled in {time.perf_counter() - started:.0f} s", flush=True)


class Claimer:
    """Claims as the due loop does, and says what the claim alone took; then writes what became of it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._due = DuePlans(db, sealer().blind)

    async def claim(self) -> float:
        """One claim; milliseconds from the first statement to the last row locked."""
        async with self._db.begin() as tx:
            started = time.perf_counter()
            claim = await self._due.claim(tx, LIMIT)
            took = time.perf_counter() - started
            if len(claim.plans) != LIMIT:
                raise RuntimeError(f"{len(claim.plans)} plans were claimed, not {LIMIT}")
            await plans.settle_plans(
                tx.conn, [altered(plan, state=PlanState.REQUESTED) for plan in claim.plans]
            )
        self._due.claimed(claim)
        return took * 1000


async def compare_sizes(server: Cluster, rounds: int, big: int, people: int) -> Result:
    """P5: claims in turn from a big and a small crowd."""
    crowds = [
        Crowd(server, "crowd_big", big, people),
        Crowd(server, "crowd_small", big // 100, people),
    ]
    for crowd in crowds:
        await crowd.prepare()
    found: list[list[float]] = [[], []]
    async with crowds[0].opened() as first, crowds[1].opened() as second:
        claimers = [Claimer(first), Claimer(second)]
        for number in range(rounds + 1):
            for crowd in crowds:
                await crowd.advance((CLAIMS_A_ROUND + 3) * LIMIT)
            took: list[list[float]] = [[], []]
            for _ in range(CLAIMS_A_ROUND + 2):
                for claimer, mine in zip(claimers, took, strict=True):
                    mine.append(await claimer.claim())
            if number == 0:  # a server that was just started has nothing in memory yet
                continue
            for mine, rounds_found in zip(took, found, strict=True):
                rounds_found.append(median(mine[2:]))
            print(f"round {number}  {found[0][-1]:6.2f} ms against {found[1][-1]:6.2f} ms", flush=True)
    return Result(
        figure="P5", what=f"claim of {LIMIT} due plans among {big:,} pending",
        against=f"among {big // 100:,}", unit="ms", goal=1.1, at_least=False, ours=found[0], theirs=found[1],
    )  # fmt: skip


async def compare_ages(server: Cluster, rounds: int, claims: int) -> Result:
    """P6: claims before and after many others, all while another session holds one old snapshot."""
    crowd = Crowd(server, "crowd_held", 400_000, 40_000)
    await crowd.prepare()
    fresh, aged = [], []
    for number in range(1, rounds + 1):
        await crowd.advance((claims + 40) * LIMIT)
        async with server.admin(crowd.name) as conn:
            await conn.execute("vacuum analyze trigger.plans", timeout=600)
        async with crowd.opened() as db, _old_snapshot(server, crowd.name):
            claimer = Claimer(db)
            took = [await claimer.claim() for _ in range(claims + 30)]
        fresh.append(median(took[3:33]))
        aged.append(median(took[-30:]))
        print(f"round {number}  {aged[-1]:6.2f} ms against {fresh[-1]:6.2f} ms", flush=True)
    return Result(
        figure="P6", what=f"the same after {claims * LIMIT:,} claimed, an old snapshot held", against="fresh",
        unit="ms", goal=1.5, at_least=False, ours=aged, theirs=fresh,
    )  # fmt: skip


@asynccontextmanager
async def _old_snapshot(server: Cluster, name: str) -> AsyncIterator[None]:
    conn: asyncpg.Connection[Any]
    async with server.admin(name) as conn, conn.transaction(isolation="repeatable_read"):
        await conn.fetchval("select count(*) from trigger.brakes")
        yield
