"""P3: answers from Kafka into facts and cells, committed once, beside three that keep less or nothing.

Every round runs each side once, in turn, on the same answers, the same broker and a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import dataclass
from statistics import median

import asyncpg

from benchmarks.kit import RIVALS, ROOT, Result, keep, run_side, say_load
from benchmarks.scoring.load import TOPIC, fill
from shared.bus.kafka import KafkaBus
from shared.bus.kafka_client import KafkaSettings
from shared.db.migrations import provision, role_of
from shared.embedded.broker import PARTITIONS, ensure_broker, stop_broker
from shared.embedded.postgres import PostgresAddress, ensure_postgres, stop_postgres

HOME = ROOT / ".artifacts" / "bench-scoring"
_TABLES = "inbox, outbox, answer_facts, asks, score_cells, rate_cells, headlines, relay_marks"
PASSWORD = "bench"  # noqa: S105 - of a database that lives for minutes
OUR_EVENTS = 60_000


@dataclass(frozen=True)
class Rival:
    """One of those compared: its program, how many events it gets, and what we aim at against it."""

    name: str
    program: str
    events: int
    goal: float


RIVALS_OF_P3 = (
    Rival("FastStream per event, counts in memory", "faststream_counts", 20_000, 8),
    Rival("Quix stateful with changelog", "quix_counts", 40_000, 2),
    Rival("Bytewax, counts in memory", "bytewax_counts", 40_000, 1),
)


async def main() -> None:
    """Set up, measure, print."""
    parser = argparse.ArgumentParser(prog="make bench-scoring")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only-ours", action="store_true")
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    load = say_load()
    HOME.mkdir(parents=True, exist_ok=True)
    address, bootstrap = await ensure_postgres(HOME), await ensure_broker(HOME)
    ours: list[list[float]] = []
    theirs: dict[Rival, list[list[float]]] = {rival: [] for rival in RIVALS_OF_P3 if not given.only_ours}
    try:
        await _as_it_is_today(address)
        bus = KafkaBus(KafkaSettings(bootstrap))
        await bus.start()
        print(f"filling {TOPIC} with {OUR_EVENTS:,} answers", flush=True)
        await fill(bus, OUR_EVENTS)
        await bus.stop()
        for number in range(1, given.rounds + 1):
            ours.append(await _run_ours(address, bootstrap, profile=given.profile))
            _say(number, "Afterword: inbox, facts, cells, exactly once", ours[-1])
            for rival, said in theirs.items():
                said.append(await asyncio.to_thread(_run, rival, bootstrap))
                _say(number, rival.name, said[-1])
    finally:
        await stop_broker(HOME)
        await stop_postgres(HOME)
    results = [_result(rival, ours, said) for rival, said in theirs.items()]
    keep(results, "make bench-scoring", load, rounds=given.rounds)


def _say(number: int, name: str, said: list[float]) -> None:
    print(f"round {number}  {name:48} {said[0]:10,.0f} events/s  {said[1]:6.0f} µs CPU", flush=True)


async def _run_ours(address: PostgresAddress, bootstrap: str, *, profile: bool) -> list[float]:
    await _empty(address)
    dsn = address.dsn(role_of("scoring"), PASSWORD)
    command = [sys.executable, "-m", "benchmarks.scoring.ours", "--bootstrap", bootstrap, "--dsn", dsn]
    command += ["--events", str(OUR_EVENTS), *(["--profile"] if profile else [])]
    return await asyncio.to_thread(run_side, command, {}, show_errors=profile)


def _run(rival: Rival, bootstrap: str) -> list[float]:
    environment = {
        "BOOTSTRAP": bootstrap, "TOPIC": TOPIC, "EVENTS": str(rival.events), "PARTITIONS": str(PARTITIONS),
    }  # fmt: skip
    return run_side([str(RIVALS), "-m", f"benchmarks.scoring.rivals.{rival.program}"], environment)


def _result(rival: Rival, ours: list[list[float]], theirs: list[list[float]]) -> Result:
    cpu = f"{median(one[1] for one in ours):.0f} µs against {median(one[1] for one in theirs):.0f} µs"
    return Result(
        figure="P3", what="answers into facts and cells, once", against=rival.name, unit="events/s",
        goal=rival.goal, at_least=True, ours=[one[0] for one in ours], theirs=[one[0] for one in theirs],
        notes={"client CPU each": cpu},
    )  # fmt: skip


async def _as_it_is_today(address: PostgresAddress) -> None:
    """A schema of the present code, whatever an earlier run left behind."""
    conn = await asyncpg.connect(address.admin_dsn)
    await conn.execute("drop schema if exists scoring cascade")
    await conn.close()
    await provision(address.admin_dsn, ("scoring",), PASSWORD)


async def _empty(address: PostgresAddress) -> None:
    """Every round begins with empty tables and a written-back log."""
    conn = await asyncpg.connect(address.admin_dsn)
    await conn.execute("set search_path to scoring")
    await conn.execute(f"truncate {_TABLES}")
    await conn.execute("checkpoint")
    await conn.close()


if __name__ == "__main__":
    asyncio.run(main())
