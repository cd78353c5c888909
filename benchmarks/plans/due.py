"""P4: due plans through the gate to Kafka, beside pgqueuer and procrastinate that run due jobs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from benchmarks.cluster import Cluster
from benchmarks.company import EPOCH, Company, publish_programmes, write_people, write_plans
from benchmarks.kit import RIVALS, Result, run_side
from shared.runtime.clock import FixedClock

OURS = "plans"
WHAT = "due plans: gate, ledger, request, relay to Kafka"


@dataclass(frozen=True, slots=True)
class Rival:
    """A job queue with a handler, how many jobs it gets for one plan of ours, and what we aim at."""

    name: str
    module: str
    handler: str
    part: float
    goal: float


RIVALS_RUN = (
    Rival("pgqueuer, jobs do nothing", "pgqueuer_runs", "nothing", 1, 3),
    Rival("pgqueuer, jobs do the least of it", "pgqueuer_runs", "ask", 0.4, 3),
    Rival("procrastinate, jobs do nothing", "procrastinate_runs", "nothing", 0.2, 3),
)


async def compare(server: Cluster, bootstrap: str, rounds: int, plans: int, *, profile: bool) -> list[Result]:
    """Run all sides in turn."""
    found: dict[str, list[list[float]]] = {}
    for number in range(1, rounds + 1):
        await _fill(server, plans)
        command = [sys.executable, "-m", "benchmarks.plans.ours", "--bootstrap", bootstrap]
        command += ["--dsn", server.dsn("due", "trigger"), "--plans", str(plans)]
        mine = run_side(command + (["--profile"] if profile else []), {}, show_errors=profile)
        _note(number, OURS, mine, found)
        for rival in () if profile else RIVALS_RUN:
            await server.fresh("peer")
            environment = {
                "DSN": server.admin_dsn("peer"),
                "EVENTS": str(max(1000, int(plans * rival.part) // 1000 * 1000)),
                "HANDLER": rival.handler,
            }
            command = [str(RIVALS), "-m", f"benchmarks.plans.rivals.{rival.module}"]
            _note(number, rival.name, run_side(command, environment), found)
    return [_result(rival, found) for rival in RIVALS_RUN if rival.name in found]


def _note(number: int, name: str, said: list[float], found: dict[str, list[list[float]]]) -> None:
    found.setdefault(name, []).append(said)
    print(f"round {number}  {name:36} {said[0]:9,.0f}/s  {said[1]:6.0f} µs CPU", flush=True)


def _result(rival: Rival, found: Mapping[str, list[list[float]]]) -> Result:
    ours, theirs = found[OURS], found[rival.name]
    cpu = f"{median(one[1] for one in ours):.0f} µs against {median(one[1] for one in theirs):.0f} µs"
    return Result(
        figure="P4", what=WHAT, against=rival.name, unit="per s", goal=rival.goal, at_least=True,
        ours=[one[0] for one in ours], theirs=[one[0] for one in theirs],
        notes={"client CPU each": cpu},
    )  # fmt: skip


async def _fill(server: Cluster, plans: int) -> None:
    """A company all of whose plans are due, each for another person."""
    company = Company(people=plans, every=timedelta(seconds=1), delays=5)
    await server.fresh("due", "trigger")
    db = await server.database("due", "trigger", FixedClock(EPOCH))
    await publish_programmes(db, server.home / "programmes")
    await db.close()
    async with server.admin("due") as conn:
        await write_people(conn, plans)
        await write_plans(conn, company, 0, plans - 1)
        await conn.execute("delete from outbox")
        await conn.execute("vacuum analyze")
        await conn.execute("checkpoint")
