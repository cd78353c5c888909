"""Scoring as it runs: consumer loop, inbox, facts, cells, announcements, relay; all committed once."""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import sys
import time
from dataclasses import replace

import uvloop

from benchmarks.groups import FreshGroup
from benchmarks.scoring.load import TOPIC
from services.scoring.handlers import SUBSCRIPTIONS
from services.scoring.worker.headlines import announcing, refreshing, republish
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
    """Read EVENTS answers and say how fast they were committed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    machine = SystemMachine()
    db = await connect(given.dsn, service="scoring", clock=FixedClock(machine.wall()), machine=machine)
    bus = FreshGroup(KafkaSettings(given.bootstrap))
    await bus.start()
    profile = cProfile.Profile() if given.profile else None
    rate, micros = await _timed(db, bus, given.events, profile)
    async with db.read() as conn:
        facts = await conn.fetchval("select count(*) from answer_facts")
        cells = await conn.fetchval(
            "select sum(b0+b1+b2+b3+b4+b5+b6+b7+b8+b9+b10) from score_cells where rollup = 'total'"
        )
        claimed = await conn.fetchval("select count(*) from inbox")
    if not facts == cells == claimed >= given.events:
        sys.exit(f"{facts} facts, {cells} answers in cells, {claimed} claims: they should be equal")
    if profile:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(35)
    print(f"RESULT {rate:.1f} {micros:.1f}", flush=True)
    await bus.stop()
    await db.close()


async def _timed(
    db: Database, bus: KafkaBus, events: int, profile: cProfile.Profile | None
) -> tuple[float, float]:
    """Events a second and microseconds of this process's CPU per event, after a warm-up of one twentieth."""
    machine, stop = SystemMachine(), asyncio.Event()
    subscription = replace(SUBSCRIPTIONS[0], topics=(Topic(TOPIC),))
    loops = (
        Loop("announce", 1.0, announcing(db), due=False),
        Loop("gauges", 5.0, refreshing(db), due=False),
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(Relay(db, bus, machine, republish=republish).run(stop))
        for loop in loops:
            tasks.create_task(run_loop("scoring", loop, machine, stop, bell=db.bell, paused=lambda: False))
        members = [
            ConsumerLoop(subscription, db, bus, machine, instance=f"bench-{number}")
            for number in range(subscription.members)
        ]
        for member in members:
            tasks.create_task(member.run(stop))
        while (warm := _committed()) < events // 20 and not any(member.stopped for member in members):  # noqa: ASYNC110 - a counter of Prometheus wakes nobody
            await asyncio.sleep(0.005)
        started, cpu = time.perf_counter(), time.process_time()
        if profile:
            profile.enable()
        while (seen := _committed()) < events and not any(member.stopped for member in members):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.005)
        seconds = time.perf_counter() - started
        micros = (time.process_time() - cpu) / (seen - warm) * 1e6
        if profile:
            profile.disable()
        stop.set()
    return (seen - warm) / seconds, micros


def _committed() -> int:
    # Asked of the counter itself: to collect the registry every few milliseconds is a fifth of all work.
    return int(CONSUMER_RECORDS.labels("scoring", TOPIC, "done")._value.get())  # noqa: SLF001 - cheap to ask


spare_startup()
uvloop.run(main())
