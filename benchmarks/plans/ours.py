"""P4, our side: the due loop with gate, ledger and outbox, and the relay to Kafka, as they run in trigger."""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import sys
import time
from contextlib import nullcontext
from datetime import timedelta

import uvloop
from prometheus_client import REGISTRY

from benchmarks.company import EPOCH, sealer
from services.trigger.worker.due import DuePlans
from shared.bus.kafka import KafkaBus
from shared.bus.kafka_client import KafkaSettings
from shared.db.database import Database, connect
from shared.runtime.clock import FixedClock, SystemMachine
from shared.runtime.loops import Loop, run_loop
from shared.runtime.memory import spare_startup
from shared.runtime.relay import Relay

_LEFT = """
select exists (select from plans where state = 'pending') or exists (select from outbox where not published)
"""


_BUG = {"service": "trigger", "loop": "plans", "kind": "bug"}


async def main() -> None:
    """Run every due plan; says plans a second and microseconds of this process's CPU per plan."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--plans", type=int, required=True)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    machine = SystemMachine()
    clock = FixedClock(EPOCH + timedelta(days=7))
    db = await connect(given.dsn, service="trigger", clock=clock, machine=machine)
    bus = KafkaBus(KafkaSettings(given.bootstrap))
    await bus.start()
    spare_startup()
    profile = cProfile.Profile() if given.profile else None
    started, cpu = time.perf_counter(), time.process_time()
    with profile or nullcontext():
        await _until_empty(db, bus)
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    async with db.read() as conn:
        asked = await conn.fetchval("select count(*) from asks")
        told = await conn.fetchval("select count(*) from outbox where published")
    if not asked == told == given.plans:
        sys.exit(f"{given.plans} plans were due, {asked} asked, {told} told: they should be equal")
    if profile:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(45)
    print(f"RESULT {given.plans / seconds:.1f} {used / given.plans * 1e6:.1f}", flush=True)
    await bus.stop()
    await db.close()


async def _until_empty(db: Database, bus: KafkaBus) -> None:
    machine, stop = SystemMachine(), asyncio.Event()
    plans = Loop("plans", 0.25, DuePlans(db, sealer().blind).run)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(Relay(db, bus, machine).run(stop))
        tasks.create_task(run_loop("trigger", plans, machine, stop, bell=db.bell, paused=lambda: False))
        left = True
        while left:
            await asyncio.sleep(0.02)
            if REGISTRY.get_sample_value("afterword_loop_failures_total", _BUG):
                sys.exit("the due loop failed; see above")
            async with db.read() as conn:
                left = await conn.fetchval(_LEFT)
        stop.set()


uvloop.run(main())
