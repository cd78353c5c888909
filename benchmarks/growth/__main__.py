"""P10: what an answer and the score page cost when ten million answers are stored, and ten thousand."""

from __future__ import annotations

import argparse
import asyncio
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import count
from statistics import median

import httpx

from benchmarks.cluster import cluster
from benchmarks.growth.fill import BATCH, History, batch_of, batches, prepare
from benchmarks.growth.site import shown, viewer
from benchmarks.kit import Result, keep, say_load
from shared.bus.model import Record
from shared.runtime.clock import FixedClock
from shared.runtime.consumer import Batch

NOW = datetime(2026, 3, 4, tzinfo=UTC)
TAKES = 12
PAGES = 20
_seeds = count(time.time_ns())


async def main() -> None:
    """Set up, measure both in turn, print."""
    parser = argparse.ArgumentParser(prog="make bench-growth")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--answers", type=int, default=10_000_000)
    given = parser.parse_args()
    load = say_load()
    clock = FixedClock(NOW)
    histories = (
        History(f"answers_{given.answers}", given.answers, 730),
        History("answers_10000", 10_000, 90, anew=True),
    )
    taken: tuple[list[float], list[float]] = ([], [])
    seen: tuple[list[float], list[float]] = ([], [])
    async with cluster("bench-growth") as server, AsyncExitStack() as stack:
        sides: list[tuple[Batch, httpx.AsyncClient]] = []
        for history in histories:
            await prepare(server, history, clock)
            db = await server.database(history.name, "scoring", clock)
            stack.push_async_callback(db.close)
            sides.append((batch_of(db), await stack.enter_async_context(viewer(db, clock))))
        for number in range(1, given.rounds + 1):
            await _round(sides, taken, seen)
            print(
                f"round {number}  {taken[0][-1]:5.0f} µs an answer against {taken[1][-1]:5.0f},"
                f"  {seen[0][-1]:6.1f} ms a page against {seen[1][-1]:6.1f}",
                flush=True,
            )
    what = f"at {given.answers:,} stored answers"
    results = [
        Result("P10", f"an answer taken in {what}", "at 10,000", "µs", 1.1, False, *taken),  # noqa: FBT003 - less is better
        Result("P10", f"the score page {what}", "page at 10,000", "ms", 1.1, False, *seen),  # noqa: FBT003 - as above
    ]
    keep(results, "make bench-growth", load, rounds=given.rounds)


async def _round(
    sides: list[tuple[Batch, httpx.AsyncClient]],
    taken: tuple[list[float], list[float]],
    seen: tuple[list[float], list[float]],
) -> None:
    """Take answers in and show the page on both sides, in turn."""
    micros: tuple[list[float], list[float]] = ([], [])
    millis: tuple[list[float], list[float]] = ([], [])
    for records in list(batches(TAKES * BATCH, seed=next(_seeds))):
        for (batch, _), mine in zip(sides, micros, strict=True):
            mine.append(await _take(batch, records))
    for _ in range(PAGES):
        for (_, client), mine in zip(sides, millis, strict=True):
            mine.append(await shown(client))
    for found, mine in zip((*taken, *seen), (*micros, *millis), strict=True):
        found.append(median(mine[2:]))


async def _take(batch: Batch, records: list[Record]) -> float:
    """Microseconds an answer of one batch."""
    started = time.perf_counter()
    dead = await batch.handle(records)
    if dead:
        raise RuntimeError(f"{len(dead)} answers were put aside")
    return (time.perf_counter() - started) / len(records) * 1e6


asyncio.run(main())
