"""F9: while nothing is broken, memory, descriptors and database connections of each process stay flat."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import psutil

from tests.chaos.fleet import Fleet

EVERY_SECONDS = 2.0
_POOLS = "select application_name, count(*) from pg_stat_activity where application_name <> '' group by 1"


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at one process; `rss` in MiB."""

    label: str
    rss: float
    descriptors: int
    threads: int


@dataclass(frozen=True, slots=True)
class Flatness:
    """First against last third of a soak, per process; growth is a share of the first."""

    seconds: float
    rss_growth: dict[str, float]
    rss_last: dict[str, float]
    descriptors_grown: dict[str, int]
    pools_grown: dict[str, int]

    @property
    def worst(self) -> float:
        """The largest growth of memory."""
        return max(self.rss_growth.values(), default=0.0)


async def soak(fleet: Fleet, seconds: float) -> Flatness:
    """Watch for some time."""
    looks: list[dict[str, Sample]] = []
    pools: list[dict[str, int]] = []
    for _ in range(int(seconds / EVERY_SECONDS)):
        looks.append({one.label: one for one in _look(fleet)})
        pools.append(await _pools(fleet))
        await asyncio.sleep(EVERY_SECONDS)
    third = max(1, len(looks) // 3)
    first, last = looks[:third], looks[-third:]
    labels = sorted(set.intersection(*(set(look) for look in looks)))
    rss = {label: (_middle(first, label), _middle(last, label)) for label in labels}
    return Flatness(
        seconds=seconds,
        rss_growth={label: round(after / before - 1, 4) for label, (before, after) in rss.items()},
        rss_last={label: round(after, 1) for label, (_, after) in rss.items()},
        descriptors_grown={label: _most(last, label) - _most(first, label) for label in labels},
        pools_grown={
            name: max(p.get(name, 0) for p in pools[-third:]) - max(p.get(name, 0) for p in pools[:third])
            for name in pools[0]
        },
    )


def _look(fleet: Fleet) -> list[Sample]:
    found = []
    for one in fleet.instances:
        if one.pid is not None:
            process = psutil.Process(one.pid)
            with process.oneshot():
                rss = process.memory_info().rss / 2**20
                found.append(Sample(one.label, rss, process.num_fds(), process.num_threads()))
    return found


def _middle(looks: Sequence[dict[str, Sample]], label: str) -> float:
    return median(look[label].rss for look in looks)


def _most(looks: Sequence[dict[str, Sample]], label: str) -> int:
    return max(look[label].descriptors for look in looks)


async def _pools(fleet: Fleet) -> dict[str, int]:
    return {row[0]: row[1] for row in await fleet.direct.fetch(_POOLS)}
