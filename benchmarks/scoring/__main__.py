"""P3: answers from Kafka into facts and cells, committed once, beside FastStream and Quix that keep less.

Every round runs each side once, in turn, on the same answers, the same broker and a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import asyncpg

from benchmarks.scoring.load import TOPIC, fill
from shared.bus.kafka import KafkaBus
from shared.bus.kafka_client import KafkaSettings
from shared.db.migrations import provision, role_of
from shared.embedded.broker import PARTITIONS, ensure_broker, stop_broker
from shared.embedded.postgres import PostgresAddress, ensure_postgres, stop_postgres

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".artifacts" / "bench-scoring"
RIVALS = ROOT / ".venv" / "rivals" / "bin" / "python"
_TABLES = "inbox, outbox, answer_facts, asks, score_cells, rate_cells, headlines, relay_marks"
PASSWORD = "bench"  # noqa: S105 - of a database that lives for minutes


@dataclass(frozen=True)
class Side:
    """One of those compared: how many events it gets, and what we aim at against it."""

    name: str
    events: int
    goal: float = 0.0


OURS = Side("Afterword: inbox, facts, cells, exactly once", 60_000)
FASTSTREAM = Side("FastStream per event, counts in memory", 20_000, goal=8)
QUIX = Side("Quix stateful with changelog", 40_000, goal=2)


async def main() -> None:
    """Set up, measure, print."""
    parser = argparse.ArgumentParser(prog="make bench-scoring")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only-ours", action="store_true")
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    address, bootstrap = await ensure_postgres(HOME), await ensure_broker(HOME)
    try:
        await _as_it_is_today(address)
        bus = KafkaBus(KafkaSettings(bootstrap))
        await bus.start()
        print(f"filling {TOPIC} with {OURS.events:,} answers", flush=True)
        await fill(bus, OURS.events)
        await bus.stop()
        sides = [OURS] if given.only_ours else [OURS, FASTSTREAM, QUIX]
        found: dict[Side, list[tuple[float, float]]] = {side: [] for side in sides}
        for number in range(1, given.rounds + 1):
            for side in sides:
                found[side].append(await _run(side, address, bootstrap, profile=given.profile))
                print(f"round {number}  {side.name:48} {found[side][-1][0]:10,.0f} events/s", flush=True)
        _report(found)
    finally:
        await stop_broker(HOME)
        await stop_postgres(HOME)


async def _run(side: Side, address: PostgresAddress, bootstrap: str, *, profile: bool) -> tuple[float, float]:
    if side is OURS:
        await _empty(address)
        dsn = address.dsn(role_of("scoring"), PASSWORD)
        command = [sys.executable, "-m", "benchmarks.scoring.ours", "--bootstrap", bootstrap, "--dsn", dsn]
        command += ["--events", str(side.events), *(["--profile"] if profile else [])]
    else:
        name = "faststream_counts" if side is FASTSTREAM else "quix_counts"
        command = [str(RIVALS), "-m", f"benchmarks.scoring.rivals.{name}"]
    environment = {
        "PATH": os.defpath, "PYTHONPATH": str(ROOT), "BOOTSTRAP": bootstrap,
        "TOPIC": TOPIC, "EVENTS": str(side.events), "PARTITIONS": str(PARTITIONS),
    }  # fmt: skip
    ran = await asyncio.to_thread(
        subprocess.run,
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if profile and side is OURS:
        print(ran.stderr)
    for line in ran.stdout.splitlines():
        if line.startswith("RESULT "):
            rate, micros = map(float, line.split()[1:])
            return rate, micros
    sys.exit(f"{side.name} said no result:\n{ran.stdout[-1000:]}\n{ran.stderr[-3000:]}")


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


def _report(found: dict[Side, list[tuple[float, float]]]) -> None:
    heading = f"median of {len(found[OURS])} rounds"
    print(f"\n{heading:50} {'events/s':>10} {'spread':>17} {'CPU µs':>7}")
    for side, results in found.items():
        rates = [rate for rate, _ in results]
        spread = f"{min(rates):,.0f}-{max(rates):,.0f}"
        print(f"{side.name:50} {median(rates):10,.0f} {spread:>17} {median(m for _, m in results):7.1f}")
    for side, results in found.items():
        if side is not OURS:
            ratios = [mine / theirs for (mine, _), (theirs, _) in zip(found[OURS], results, strict=True)]
            ratio = median(ratios)
            verdict = "reached" if ratio >= side.goal else "NOT reached"
            print(
                f"ours / {side.name}: {ratio:.1f} ({min(ratios):.1f}-{max(ratios):.1f}),"
                f" goal {side.goal:.0f}: {verdict}"
            )


asyncio.run(main())
