"""P10: what an answer and the score page cost when ten million answers are stored, and ten thousand."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count
from statistics import median

import httpx

from benchmarks.cluster import Cluster, cluster
from benchmarks.growth.fill import BATCH, History, batch_of, batches, prepare
from benchmarks.growth.site import shown, viewer
from benchmarks.kit import Result, keep, say_load
from services.scoring.store import clusterings
from services.scoring.worker.clustering import learning
from shared.bus.model import Record
from shared.runtime.clock import FixedClock
from shared.runtime.consumer import Batch
from shared.runtime.memory import spare_startup

NOW = datetime(2026, 3, 4, tzinfo=UTC)
TAKES, PAGES = 20, 30
"""Batches and pages of a round, on each side."""

WARM_TAKES, WARM_PAGES = 4, 10
"""Those before them: statements are planned for good, and what they need is in memory."""

_VACUUM = "vacuum analyze scoring.score_cells, scoring.rate_cells"
_seeds = count(time.time_ns())


@dataclass(frozen=True, slots=True)
class Deployment:
    """One side in one round."""

    name: str
    batch: Batch
    client: httpx.AsyncClient


@dataclass(frozen=True, slots=True)
class Took:
    """What one side took: µs an answer and ms a page, the middle of each round."""

    answers: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)


async def main() -> None:
    """Measure both sides round by round, print."""
    parser = argparse.ArgumentParser(prog="make bench-growth")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--answers", type=int, default=10_000_000)
    given = parser.parse_args()
    load = say_load()
    # Of programmes with few answers each visit reads all, of others what was learned of them once an hour.
    # The page at ten thousand would be the dearer one by that: here it reads what was learned, too.
    clusterings.KEPT_FROM = 1
    histories = (
        History(f"answers_{given.answers}", given.answers, 730),
        History("answers_10000", 10_000, 180, anew=True),
    )
    ours, theirs = Took(), Took()
    async with cluster("bench-growth") as server:
        for number in range(1, given.rounds + 1):
            await _round(server, histories, (ours, theirs))
            print(
                f"round {number}  {ours.answers[-1]:5.0f} µs an answer against {theirs.answers[-1]:5.0f},"
                f"  {ours.pages[-1]:6.1f} ms a page against {theirs.pages[-1]:6.1f}",
                flush=True,
            )
    what = f"at {given.answers:,} stored answers"
    results = [
        Result(
            "P10", f"an answer taken in {what}", "at 10,000", "µs", 1.1,
            at_least=False, ours=ours.answers, theirs=theirs.answers,
        ),
        Result(
            "P10", f"the score page {what}", "page at 10,000", "ms", 1.1,
            at_least=False, ours=ours.pages, theirs=theirs.pages,
        ),
    ]  # fmt: skip
    keep(results, "make bench-growth", load, rounds=given.rounds)


async def _round(server: Cluster, histories: Sequence[History], took: Sequence[Took]) -> None:
    """Take answers in and show the page on both sides; each round begins in the same state."""
    clock = FixedClock(NOW)
    async with AsyncExitStack() as stack:
        sides: list[Deployment] = []
        for history in histories:
            await prepare(server, history, clock)
            db = await server.database(history.name, "scoring", clock)
            stack.push_async_callback(db.close)
            await learning(db)()
            client = await stack.enter_async_context(viewer(db, clock))
            sides.append(Deployment(history.name, batch_of(db), client))
        spare_startup()  # as each process of the product does before its first batch
        records = list(batches((WARM_TAKES + TAKES) * BATCH, seed=next(_seeds)))
        await _in_turn([[partial(_take, one.batch, some) for some in records[:WARM_TAKES]] for one in sides])
        await _settle(server, sides)
        micros = await _in_turn(
            [[partial(_take, one.batch, some) for some in records[WARM_TAKES:]] for one in sides]
        )
        await _settle(server, sides)
        millis = await _in_turn([[partial(shown, one.client)] * (WARM_PAGES + PAGES) for one in sides])
    for one, answers, pages in zip(took, micros, millis, strict=True):
        one.answers.append(median(answers))
        one.pages.append(median(pages[WARM_PAGES:]))


async def _settle(server: Cluster, sides: Sequence[Deployment]) -> None:
    """Do what falls due once in a while, so that it falls on neither side by chance."""
    for one in sides:
        async with server.admin(one.name) as conn:
            await conn.execute(_VACUUM, timeout=600)
    async with server.admin("postgres") as conn:
        await conn.execute("checkpoint", timeout=600)


async def _in_turn(sides: Sequence[Sequence[Callable[[], Awaitable[float]]]]) -> list[list[float]]:
    """What each work of each side takes: one of each in turn, and who begins changes.

    Of the same batch the second to take it in is at an advantage or a disadvantage of some percent.
    """
    took: list[list[float]] = [[] for _ in sides]
    for number, works in enumerate(zip(*sides, strict=True)):
        turn = list(zip(works, took, strict=True))
        for work, mine in turn if number % 2 else reversed(turn):
            mine.append(await work())
    return took


async def _take(batch: Batch, records: list[Record]) -> float:
    """Microseconds an answer of one batch."""
    started = time.perf_counter()
    dead = await batch.handle(records)
    if dead:
        raise RuntimeError(f"{len(dead)} answers were put aside")
    return (time.perf_counter() - started) / len(records) * 1e6


if __name__ == "__main__":
    asyncio.run(main())
