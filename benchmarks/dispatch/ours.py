"""P7, our side: wording, render, build and proof as the worker does them, then the e-mail channel."""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import sys
import time
from contextlib import nullcontext
from dataclasses import replace

import uvloop
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks.dispatch.mails import NOW, ORGANISATION, claimed, desk
from services.dispatch.channels.dkim import Signer
from services.dispatch.channels.email import EmailChannel, SmtpServer
from services.dispatch.domain.address import Address
from services.dispatch.worker.preparing import outgoing
from shared.runtime.clock import SystemMachine
from shared.runtime.memory import spare_startup

CLAIM = 50
"""Messages that the worker claims, words and hands over at a time."""


async def main(port: int, mails: int, connections: int, *, signed: bool, profile: bool) -> None:
    """Send so many mails; says mails a second and microseconds of CPU a mail."""
    channel = EmailChannel(SmtpServer("127.0.0.1", port, connections=connections), SystemMachine())
    table = desk()
    if signed:
        table = replace(
            table, signer=Signer("nordlicht.example", "s1", rsa.generate_private_key(65537, 2048))
        )
    spare_startup()

    async def batch(first: int) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(first, first + CLAIM):
                one = claimed(number)
                assert isinstance(one.address, Address)  # noqa: S101 - narrows
                tasks.create_task(channel.send(outgoing(one, one.address, ORGANISATION, table, NOW)))

    for first in range(0, 200, CLAIM):
        await batch(first)
    profiler = cProfile.Profile() if profile else None
    started, cpu = time.perf_counter(), time.process_time()
    with profiler or nullcontext():
        for first in range(0, mails, CLAIM):
            await batch(first)
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    if profiler:
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(40)
    print(f"RESULT {mails / seconds:.1f} {used / mails * 1e6:.1f}", flush=True)
    await channel.close()


uvloop.run(main(*map(int, sys.argv[1:4]), signed="--signed" in sys.argv, profile="--profile" in sys.argv))
