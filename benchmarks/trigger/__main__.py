"""P2: touchpoints from Kafka planned by 25 programmes and committed, beside FastStream that only counts."""

from __future__ import annotations

import argparse
import asyncio
import sys
from statistics import median

from benchmarks.cluster import Cluster, cluster
from benchmarks.company import EPOCH, PROGRAMMES, publish_programmes
from benchmarks.kit import RIVALS, Result, keep, run_side, say_load
from benchmarks.trigger.load import TOPIC, fill
from shared.bus.kafka import KafkaBus
from shared.bus.kafka_client import KafkaSettings
from shared.embedded.broker import ensure_broker, stop_broker
from shared.runtime.clock import FixedClock


async def main() -> None:
    """Set up, measure both sides in turn, print."""
    parser = argparse.ArgumentParser(prog="make bench-trigger")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--bootstrap", default="", help="an Apache Kafka instead of the embedded broker")
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    load = say_load()
    found: dict[str, list[list[float]]] = {"ours": [], "peer": []}
    async with cluster("bench-trigger") as server:
        bootstrap = given.bootstrap or await ensure_broker(server.home)
        try:
            await _put(bootstrap, given.events)
            for number in range(1, given.rounds + 1):
                for side in ("ours", "peer"):
                    said = await _run(side, server, bootstrap, given.events, profile=given.profile)
                    found[side].append(said)
                    print(f"round {number}  {side:5} {said[0]:8,.0f}/s  {said[1]:6.0f} µs CPU", flush=True)
        finally:
            await stop_broker(server.home)
    keep([_result(found)], "make bench-trigger", load, rounds=given.rounds)


async def _put(bootstrap: str, events: int) -> None:
    bus = KafkaBus(KafkaSettings(bootstrap))
    await bus.start()
    await fill(bus, events)
    await bus.stop()


async def _run(side: str, server: Cluster, bootstrap: str, events: int, *, profile: bool) -> list[float]:
    if side == "peer":
        environment = {"BOOTSTRAP": bootstrap, "TOPIC": TOPIC, "EVENTS": str(events)}
        return run_side([str(RIVALS), "-m", "benchmarks.trigger.rivals.faststream_counts"], environment)
    await server.fresh("plans", "trigger")
    db = await server.database("plans", "trigger", FixedClock(EPOCH))
    await publish_programmes(db, server.home / "programmes")
    await db.close()
    command = [sys.executable, "-m", "benchmarks.trigger.ours", "--bootstrap", bootstrap]
    command += ["--dsn", server.dsn("plans", "trigger"), "--events", str(events)]
    return run_side(command + (["--profile"] if profile else []), {}, show_errors=profile)


def _result(found: dict[str, list[list[float]]]) -> Result:
    ours, theirs = found["ours"], found["peer"]
    cpu = f"{median(one[1] for one in ours):.0f} µs against {median(one[1] for one in theirs):.0f} µs"
    return Result(
        figure="P2", what=f"touchpoints planned by {PROGRAMMES} programmes, ledger and outbox committed",
        against="FastStream per event, counts in memory", unit="events/s", goal=2, at_least=True,
        ours=[one[0] for one in ours], theirs=[one[0] for one in theirs],
        notes={"client CPU each": cpu, "plans written": f"{ours[0][2]:,.0f}"},
    )  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main())
