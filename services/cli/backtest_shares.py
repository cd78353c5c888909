"""A backtest on several cores: a share of the history for each, and the counts added."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import reduce
from multiprocessing import get_context
from multiprocessing.sharedctypes import SynchronizedArray
from pathlib import Path

from services.cli.backtest_run import Found, Progress, Setting, directory_of, run
from services.trigger.domain.backtest.apart import NOTHING, Groups
from services.trigger.sources.glance import heard_in
from services.trigger.sources.history import History

WORTH = 8 * 1024 * 1024
"""Bytes of a history that are worth a process of their own: it takes a second until it has begun."""

LOOK = 0.2
"""Seconds between two looks at how far they are."""

_lines_done: list[SynchronizedArray[int]] = []
"""Where the process of a share says how far it is."""


def processes_for(events: Path, wanted: int) -> int:
    """How many processes to use: as many as wanted, else one a core as far as the history is worth it."""
    return wanted or max(1, min(len(os.sched_getaffinity(0)), events.stat().st_size // WORTH))


@dataclass(frozen=True, slots=True)
class Share:
    """What one process does; `rows` says of which share each row of accounts and contacts is."""

    number: int
    history: History
    setting: Setting
    rows: array[int]

    def mine(self, row: int) -> bool:
        """Whether a row of accounts or contacts is of this share."""
        of = self.rows[row - 1] if row <= len(self.rows) else 0
        return of == self.number


def dealt(history: History, groups: Groups, setting: Setting, most: int) -> list[Share]:
    """The shares of a walked history; a single one when everything in it hangs together."""
    rows = _nodes_of_rows(setting, groups)
    share_of = groups.shares([*history.nodes, *rows], most)
    shares = history.shares(share_of, max(share_of.values(), default=0) + 1)
    of_rows = array("q", (share_of.get(node, 0) for node in rows))
    return [Share(number, share, setting, of_rows) for number, share in enumerate(shares)]


def run_apart(shares: Sequence[Share], step: Progress) -> Found:
    """Run shares side by side, and add what they found; `step` is told the lines of all."""
    if len(shares) == 1:
        return run(shares[0].history, shares[0].setting, step)
    context = get_context("spawn")
    done = context.Array("q", len(shares))
    with ProcessPoolExecutor(len(shares), context, _begin, (done,)) as pool:
        running = [pool.submit(_run, share) for share in shares]
        for _ in _until_over(running):
            step(sum(done[:]))
    return reduce(Found.__add__, (one.result() for one in running))


def _nodes_of_rows(setting: Setting, groups: Groups) -> array[int]:
    """What the rows of accounts and contacts are tied to; a broken one is tied to nothing."""
    nodes = array("q")
    for one in directory_of(setting, []):
        nodes.extend([NOTHING] * (-one.line - 1 - len(nodes)))
        nodes.append(groups.join(heard_in(one)))
    return nodes


def _until_over(running: Sequence[Future[Found]]) -> Iterator[None]:
    """Again and again until all are over; what went wrong in one of them goes wrong here."""
    left = set(running)
    while left:
        over, left = wait(left, LOOK, FIRST_EXCEPTION)
        for one in over:
            one.result()
        yield


def _begin(done: SynchronizedArray[int]) -> None:
    _lines_done.append(done)


def _run(share: Share) -> Found:
    def step(lines: int) -> None:
        _lines_done[0][share.number] = lines

    return run(share.history, share.setting, step, share.mine)
