"""Which topics a service makes, and waiting for those that it reads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from shared.bus.model import TopicSpec
from shared.bus.port import Bus
from shared.contracts.topics import TOPICS
from shared.errors import Unavailable
from shared.runtime.clock import Machine
from shared.runtime.deadletters import dead_letters_of
from shared.runtime.loops import pause

PATIENCE_SECONDS = 5.0


def topics_of(service: str) -> list[TopicSpec]:
    """What the relay of a service makes: the topics that it announces on, and places for dead letters."""
    written = [plan for plan in TOPICS if service in plan.writers]
    return [
        *(TopicSpec(p.topic.value, p.partitions, p.retention is None, p.retention) for p in written),
        *(dead_letters_of(plan.topic.value) for plan in TOPICS),
    ]


async def wait_for_topics(bus: Bus, topics: Sequence[str], machine: Machine, stop: asyncio.Event) -> None:
    """Wait a moment until all topics are there: who joins a group before joins once more when they are.

    Not for ever: the service that makes one may be away, and the others are to be read all the same.
    """
    until = machine.monotonic() + PATIENCE_SECONDS
    while not stop.is_set() and machine.monotonic() < until:
        with suppress(Unavailable):
            if {topic for topic, _ in await bus.end_offsets(topics)} >= set(topics):
                return
        await pause(stop, 0.1)
