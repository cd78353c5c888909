"""Loops that act on what is due: run, and run again at once while there is more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from shared.runtime import metrics
from shared.runtime.attempts import Failed, attempted
from shared.runtime.backoff import Backoff
from shared.runtime.bell import Bell
from shared.runtime.clock import Machine
from shared.runtime.logging import get_logger

log = get_logger("loop")


@dataclass(frozen=True, slots=True)
class Loop:
    """Something a service does over and over.

    Attributes:
        name: for logs and metrics.
        every: machine seconds between rounds that found nothing to do.
        run: does one round and returns the units of work done; 0 means there was nothing.
        due: acts on business time, so it pauses while the clock is suspect.
        woken: looks again at once when the service committed something, or business time was moved.
    """

    name: str
    every: float
    run: Callable[[], Awaitable[int]]
    due: bool = True
    woken: bool = True


async def run_loop(
    service: str,
    loop: Loop,
    machine: Machine,
    stop: asyncio.Event,
    *,
    bell: Bell,
    paused: Callable[[], bool],
) -> None:
    """Drive a loop until told to stop; the round under way is finished.

    A round that fails on infrastructure is repeated after a wait. A round that fails on anything else is
    logged and repeated too, ever more slowly: rows stay due, nothing is skipped, and readiness shows it.
    """
    backoff = Backoff(machine, most=30.0)
    while not stop.is_set():
        if loop.due and paused():
            await pause(stop, loop.every)
            continue
        started, rung = machine.monotonic(), bell.listen()
        units = await attempted(loop.run)
        if isinstance(units, Failed):
            _note(service, loop, units)
            await backoff.wait()
            continue
        backoff.reset()
        metrics.LOOP_SECONDS.labels(service, loop.name).observe(machine.monotonic() - started)
        if units:
            metrics.LOOP_UNITS.labels(service, loop.name).inc(units)
            bell.ring()
        else:
            await pause(rung if loop.woken else stop, loop.every)


def _note(service: str, loop: Loop, failed: Failed) -> None:
    if failed.transient:
        metrics.LOOP_FAILURES.labels(service, loop.name, "transient").inc()
        log.warning("loop_waits", service=service, loop=loop.name, error=type(failed.error).__name__)
    else:
        metrics.LOOP_FAILURES.labels(service, loop.name, "bug").inc()
        log.error("loop_failed", service=service, loop=loop.name, exc_info=failed.error)


async def pause(until: asyncio.Event, seconds: float) -> None:
    """Wait, but not beyond an event."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await until.wait()
