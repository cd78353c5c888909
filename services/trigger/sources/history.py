"""A file of historic events, a line each, read in order of time whatever its order is.

A line is a CloudEvent, a row as `afterword import events` takes it, or a record as tools write them who read
Kafka (`kcat -J`, consoles): headers beside a payload. The file is walked through twice: once for the times
alone, then line by line; it never lies in memory as a whole. It can be dealt out in shares, each a history of
its own.
"""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from services.trigger.domain.backtest.apart import NOTHING, Groups
from services.trigger.sources.glance import heard_in, look_at, time_of
from services.trigger.sources.lines import EPOCH, Happening, problem_in, read
from services.trigger.sources.table import Problem
from services.trigger.webhooks.body import BadBodyError
from shared.errors import Undecodable


@dataclass(slots=True)
class History:
    """A file of events.

    Attributes:
        problems: lines that cannot be used.
        passed_over: records of other topics than that of touchpoints, and tombstones.
        repeated: events that were there before under the same source and id.
        alike: numbers of the lines that are in every share, where this is one; they count in the first.
    """

    file: Path
    problems: list[Problem] = field(default_factory=list)
    passed_over: int = 0
    repeated: int = 0
    alike: frozenset[int] = frozenset()
    first: bool = True
    _times: array[int] = field(default_factory=lambda: array("q"))
    _starts: array[int] = field(default_factory=lambda: array("Q"))
    _lines: array[int] = field(default_factory=lambda: array("Q"))
    _nodes: array[int] = field(default_factory=lambda: array("q"))

    def walk(self, progress: Callable[[int], None] = lambda _: None, groups: Groups | None = None) -> None:
        """Find out when each line happened, and what it is tied to where it is to be dealt out.

        `progress` is told the bytes that were read.
        """
        at = 0
        with self.file.open("rb") as raw:
            for number, line in enumerate(raw, 1):
                if line.strip():
                    self._enter(number, at, line, groups)
                at += len(line)
                if number % 5000 == 0:
                    progress(at)
        progress(at)

    @property
    def count(self) -> int:
        """How many lines there are to read."""
        return len(self._times)

    @property
    def ordered(self) -> bool:
        """Whether the lines stand in order of time."""
        return all(before <= after for before, after in pairwise(self._times))

    @property
    def begins(self) -> datetime | None:
        """When the first event happened."""
        return EPOCH + timedelta(microseconds=min(self._times)) if self._times else None

    @property
    def ends(self) -> datetime | None:
        """When the last event happened."""
        return EPOCH + timedelta(microseconds=max(self._times)) if self._times else None

    def happenings(self) -> Iterator[Happening]:
        """All usable events in order of time, each once; of the same time in the order of the file."""
        if not self._times:
            return
        known: set[int] = set()
        for number, line in self._read():
            try:
                found = read(number, line)
            except (BadBodyError, Undecodable) as error:
                if self.counts(number):
                    self.problems.append(problem_in(number, error))
                continue
            if found is None:
                self.passed_over += self.counts(number)
                continue
            name = hash((found.source, found.id))
            if name in known:
                self.repeated += self.counts(number)
                continue
            known.add(name)
            yield found

    @property
    def nodes(self) -> Sequence[int]:
        """What the lines are tied to, in the order of the file."""
        return self._nodes

    def counts(self, line: int) -> bool:
        """Whether a line counts here, as it does in one of the shares that have it."""
        return self.first or line not in self.alike

    def shares(self, share_of: Mapping[int, int], count: int) -> list[History]:
        """The lines dealt out by the nodes that they are tied to; those tied to nothing are in all shares.

        Problems, and what was passed over, stay with the whole.
        """
        shares = [History(self.file) for _ in range(count)]
        for place, node in enumerate(self._nodes):
            for share in shares if node == NOTHING else (shares[share_of[node]],):
                share._times.append(self._times[place])  # noqa: SLF001 - of the same class
                share._starts.append(self._starts[place])  # noqa: SLF001 - of the same class
                share._lines.append(self._lines[place])  # noqa: SLF001 - of the same class
        alike = frozenset(n for n, node in zip(self._lines, self._nodes, strict=True) if node == NOTHING)
        for number, share in enumerate(shares):
            share.alike, share.first = alike, not number
        return shares

    def _read(self) -> Iterator[tuple[int, bytes]]:
        places: Iterable[int] = range(len(self._times))
        if not self.ordered:
            places = sorted(places, key=self._times.__getitem__)
        with self.file.open("rb") as raw, mmap.mmap(raw.fileno(), 0, access=mmap.ACCESS_READ) as text:
            for place in places:
                text.seek(self._starts[place])
                yield self._lines[place], text.readline()

    def _enter(self, number: int, at: int, line: bytes, groups: Groups | None) -> None:
        heard = None if groups is None else look_at(line)
        found = time_of(line) if heard is None else heard.at
        if found is None or (groups is not None and heard is None):
            try:
                happening = read(number, line)
            except (BadBodyError, Undecodable) as error:
                self.problems.append(problem_in(number, error))
                return
            if happening is None:
                self.passed_over += 1
                return
            found = happening.at
            heard = None if groups is None else heard_in(happening)
        self._times.append(int(found.timestamp() * 1_000_000))
        self._starts.append(at)
        self._lines.append(number)
        if groups is not None and heard is not None:
            self._nodes.append(groups.join(heard))
