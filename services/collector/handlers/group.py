"""Group commit: who comes while a flush is under way is taken along by the next; nobody waits for a timer.

There is no task in the background: the first to come flushes for all who wait, then hands the lead to the
next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.errors import Unavailable

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Lead:
    """Told to a waiting caller: the flush is yours now."""


@dataclass(frozen=True, slots=True)
class _Lost:
    """Told to callers whose flush failed, with why."""

    error: BaseException


@dataclass(slots=True, eq=False)
class _Ticket(Generic[T, R]):
    item: T
    told: asyncio.Future[R | _Lead | _Lost]


class GroupCommit(Generic[T, R]):
    """Turns many single writes into few grouped ones.

    Args:
        flush: Writes a group durably and returns one result per item, in order.
        most: Items of one group.
        lanes: Flushes that may be under way at once; two let one prepare while the other waits for the disk.
    """

    def __init__(
        self, flush: Callable[[Sequence[T]], Awaitable[Sequence[R]]], most: int = 256, lanes: int = 1
    ) -> None:
        self._flush = flush
        self._most = most
        self._waiting: deque[_Ticket[T, R]] = deque()
        self._lanes = lanes
        self._leads = 0

    @property
    def depth(self) -> int:
        """How many wait for the flush under way to end."""
        return len(self._waiting)

    async def write(self, item: T) -> R:
        """Write one item; returns once its group is committed.

        Raises:
            Unavailable: The group was not written, or nobody can know; the caller may write the item again.
        """
        ticket: _Ticket[T, R] = _Ticket(item, asyncio.get_running_loop().create_future())
        if self._leads < self._lanes:
            self._leads += 1
            return await self._lead(ticket)
        self._waiting.append(ticket)
        try:
            told = await ticket.told
        except asyncio.CancelledError:
            if ticket.told.done() and not ticket.told.cancelled() and isinstance(ticket.told.result(), _Lead):
                self._hand_over()
            raise
        match told:
            case _Lead():
                return await self._lead(ticket)
            case _Lost(error):
                raise Unavailable("the group of this answer was not written") from error
            case _:
                return told

    async def _lead(self, own: _Ticket[T, R]) -> R:
        """Flush one's own item with those that wait, and pass the lead on whatever happens."""
        others: list[_Ticket[T, R]] = []
        while self._waiting and len(others) < self._most - 1:
            ticket = self._waiting.popleft()
            if not ticket.told.done():
                others.append(ticket)
        try:
            results = await self._flush([own.item, *(ticket.item for ticket in others)])
        except BaseException as error:
            _tell(others, [_Lost(error)] * len(others))
            raise
        else:
            _tell(others, results[1:])
            return results[0]
        finally:
            self._hand_over()

    def _hand_over(self) -> None:
        """Give the lead to the first who still waits, or give it back."""
        while self._waiting:
            ticket = self._waiting.popleft()
            if not ticket.told.done():
                ticket.told.set_result(_Lead())
                return
        self._leads -= 1


def _tell(group: Sequence[_Ticket[T, R]], results: Sequence[R | _Lost]) -> None:
    for ticket, result in zip(group, results, strict=True):
        if not ticket.told.done():
            ticket.told.set_result(result)
