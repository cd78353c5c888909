"""F9: while nothing is broken, memory, descriptors, tasks and connections of each process stay flat."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from tests.chaos.fleet import Fleet

LOOKS = 300
"""At a long soak; a short one looks every two seconds."""
EVERY_SECONDS = 2.0
LONG_SECONDS = 1800.0
GROWTH = {True: 0.02, False: 0.08}
"""What memory may grow by: in a long soak from the middle third to the last, in a short one from the first.

In the first minutes caches fill, so a short soak allows more.
"""
SLACK = 8
"""Descriptors, tasks or connections that one service keeps open for its next use, as to a mail server."""
_POOLS = "select application_name, count(*) from pg_stat_activity where application_name <> '' group by 1"


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at one process; `rss` in MiB."""

    rss: float
    descriptors: int
    tasks: int


@dataclass(frozen=True, slots=True)
class Flatness:
    """The last third of a soak against the first, per process; memory of a long one against the middle.

    Attributes:
        rss_growth: of the median, as a share of the earlier one.
        rss_thirds: the median of each third, MiB.
        descriptors_grown: of the lowest: load makes many for a moment, a leak never gives back.
        tasks_grown: likewise.
        pools_grown: likewise, connections by application.
    """

    seconds: float
    rss_growth: dict[str, float]
    rss_thirds: dict[str, tuple[float, float, float]]
    descriptors_grown: dict[str, int]
    tasks_grown: dict[str, int]
    pools_grown: dict[str, int]

    @property
    def leaks(self) -> list[str]:
        """What grew, in words; empty when all is flat."""
        return list(self._leaks())

    def _leaks(self) -> Iterator[str]:
        most = GROWTH[self.seconds >= LONG_SECONDS]
        for label, grown in self.rss_growth.items():
            if grown >= most:
                yield f"memory of {label} grew by {grown:.1%} in {self.seconds:.0f} s"
        counted = {
            "descriptors": self.descriptors_grown,
            "tasks": self.tasks_grown,
            "connections": self.pools_grown,
        }
        for what, by_label in counted.items():
            for label, count in by_label.items():
                if count > SLACK:
                    yield f"{what} of {label} grew by {count} in {self.seconds:.0f} s"


async def soak(fleet: Fleet, seconds: float) -> Flatness:
    """Watch for some time."""
    looks: list[dict[str, Sample]] = []
    pools: list[dict[str, int]] = []
    # No connection is kept: the server may close one that was idle in the moment in which it is used again.
    # Who answers late is busy, which is not what is looked for here.
    every = max(EVERY_SECONDS, seconds / LOOKS)
    monotonic = asyncio.get_running_loop().time
    until = monotonic() + seconds
    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_keepalive_connections=0)) as client:
        while (looked := monotonic()) < until:
            looks.append(await _look(fleet, client))
            pools.append({row[0]: row[1] for row in await fleet.direct.fetch(_POOLS)})
            await asyncio.sleep(max(0.0, looked + every - monotonic()))
    third = max(1, len(looks) // 3)
    thirds = looks[:third], looks[third:-third] or looks[-third:], looks[-third:]
    first, _, last = thirds
    labels = sorted(set.intersection(*(set(look) for look in looks)))
    rss = {label: tuple(_middle(part, label) for part in thirds) for label in labels}
    since = 1 if seconds >= LONG_SECONDS else 0
    return Flatness(
        seconds=seconds,
        rss_growth={label: round(of[-1] / of[since] - 1, 4) for label, of in rss.items()},
        rss_thirds={label: (round(a, 1), round(b, 1), round(c, 1)) for label, (a, b, c) in rss.items()},
        descriptors_grown={
            label: _least([one[label].descriptors for one in last], [one[label].descriptors for one in first])
            for label in labels
        },
        tasks_grown={
            label: _least([one[label].tasks for one in last], [one[label].tasks for one in first])
            for label in labels
        },
        pools_grown={
            name: _least([p.get(name, 0) for p in pools[-third:]], [p.get(name, 0) for p in pools[:third]])
            for name in pools[0]
        },
    )


async def _look(fleet: Fleet, client: httpx.AsyncClient) -> dict[str, Sample]:
    found = {}
    for one in fleet.instances:
        if one.pid is not None:
            process = psutil.Process(one.pid)
            page = await client.get(f"{one.url}/metrics")
            with process.oneshot():
                rss = process.memory_info().rss / 2**20
                found[one.label] = Sample(rss, process.num_fds(), _tasks(page.text))
    return found


def _tasks(page: str) -> int:
    families = text_string_to_metric_families(page)
    return int(next(one.samples[0].value for one in families if one.name == "afterword_runtime_tasks"))


def _middle(looks: Sequence[Mapping[str, Sample]], label: str) -> float:
    return median(look[label].rss for look in looks)


def _least(last: Sequence[int], first: Sequence[int]) -> int:
    return min(last) - min(first)
