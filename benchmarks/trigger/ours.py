"""Trigger as it runs: consumer loop, inbox, directory, plans, ledger, outbox, relay; all committed once."""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import sys
import time
from contextlib import nullcontext
from dataclasses import replace

import uvloop

from benchmarks.company import EPOCH, sealer
from benchmarks.groups import FreshGroup
from benchmarks.trigger.load import TOPIC
from services.trigger.handlers import subscriptions
from services.trigger.worker.due import DuePlans
from shared.bus.kafka import KafkaBus
from shared.bus.kafka_client import KafkaSettings
from shared.contracts.topics import Topic
from shared.db.database import Database, connect
from shared.runtime.clock import FixedClock, SystemMachine
from shared.runtime.consumer import ConsumerLoop
from shared.runtime.loops import Loop, run_loop
from shared.runtime.memory import spare_startup
from shared.runtime.metrics import CONSUMER_RECORDS
from shared.runtime.relay import Relay


async def main() -> None:
    """Read EVENTS touchpoints and say how fast they were planned and committed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    machine = SystemMachine()
    db = await connect(given.dsn, service="trigger", clock=FixedClock(EPOCH), machine=machine)
    bus = FreshGroup(KafkaSettings(given.bootstrap))
    await bus.start()
    spare_startup()
    profile = cProfile.Profile() if given.profile else None
    rate, micros = await _timed(db, bus, given.events, profile)
    async with db.read() as conn:
        planned = await conn.fetchval("select count(*) from plans")
        decided = await conn.fetchval("select count(distinct event_id) from decisions")
        claimed = await conn.fetchval("select count(*) from inbox")
    if not decided == claimed >= given.events or not planned:
        sys.exit(f"{claimed} claims, {decided} events decided about, {planned} plans")
    if profile:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(60)
    print(f"RESULT {rate:.1f} {micros:.1f} {planned}", flush=True)
    await bus.stop()
    await db.close()


async def _timed(
    db: Database, bus: KafkaBus, events: int, profile: cProfile.Profile | None
) -> tuple[float, float]:
    """Events a second and microseconds of this process's CPU per event, after a warm-up of one twentieth."""
    machine, stop = SystemMachine(), asyncio.Event()
    subscription = replace(subscriptions(sealer())[0], topics=(Topic(TOPIC),))
    consumers = [
        ConsumerLoop(subscription, db, bus, machine, instance=f"bench-{number}")
        for number in range(subscription.members)
    ]
    due = Loop("plans", 0.25, DuePlans(db, sealer().blind).run)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(Relay(db, bus, machine).run(stop))
        tasks.create_task(run_loop("trigger", due, machine, stop, bell=db.bell, paused=lambda: False))
        for consumer in consumers:
            tasks.create_task(consumer.run(stop))
        while (warm := _committed()) < events // 20 and not any(one.stopped for one in consumers):  # noqa: ASYNC110 - a counter of Prometheus wakes nobody
            await asyncio.sleep(0.005)
        started, cpu = time.perf_counter(), time.process_time()
        with profile or nullcontext():
            while (seen := _committed()) < events and not any(one.stopped for one in consumers):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.005)
        seconds = time.perf_counter() - started
        micros = (time.process_time() - cpu) / (seen - warm) * 1e6
        stop.set()
    return (seen - warm) / seconds, micros


def _committed() -> int:
    # Asked of the counter itself: to collect the registry every few milliseconds is a fifth of all work.
    return int(CONSUMER_RECORDS.labels("trigger", TOPIC, "done")._value.get())  # noqa: SLF001 - cheap to ask


uvloop.run(main())
