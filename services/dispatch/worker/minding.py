"""What must be minded beside delivering: leases of stopped workers, and how far answers are known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from services.dispatch import metrics
from services.dispatch.domain.look import VIEW_PATIENCE, view_is_current
from services.dispatch.domain.model import Ending
from services.dispatch.domain.rates import SPAN, Thresholds, total
from services.dispatch.domain.states import OPEN, Happening
from services.dispatch.domain.uncertain import STOPPED
from services.dispatch.handlers.reporting import count, tell
from services.dispatch.store import hours, pace, queue, rates, replies, uncertain
from services.dispatch.store.queue import Unproven
from shared.bus.model import Partition
from shared.bus.partitioner import partition_of
from shared.bus.port import Bus
from shared.contracts.model import Channel
from shared.contracts.topics import Topic
from shared.db.database import Database
from shared.errors import Unavailable
from shared.runtime.failpoints import failpoint

BATCH = 500
OUTCOMES = ("requested", "sent", "delivered", "bounced", "complained", "started", "answered", "held")
"""What is told of surveys by gauges, by the names of their sums."""

INCENTIVES = ("promised", "earned", "redeemed")
"""What is told of what was promised to whoever answers."""


async def reap(db: Database, repeatable: Collection[Channel] = ()) -> int:
    """Free what a stopped worker had claimed, and give up knowing about what it was handing over.

    Lines of limits and calls of providers that say nothing any more are dropped on the way.

    Args:
        db: dispatch's.
        repeatable: channels by which a call that nobody heard the answer of is made again.
    """
    async with db.begin() as tx:
        released = await queue.release_expired(tx.conn)
        again = await queue.repeat_expired(tx.conn, repeatable)
        lost = await queue.lose_expired(tx.conn, tx.now)
        told = await tell(tx, Happening.LOSE, lost)
        unheard = [Ending(delivery_id, detail=STOPPED) for delivery_id in (*again, *lost)]
        await queue.end_attempts(tx.conn, "unknown", unheard)
        await pace.forget(tx.conn)
        await replies.forget_calls(tx.conn)
    count(Happening.LOSE, told)
    return released + len(again) + len(lost)


async def let_go(db: Database) -> int:
    """Let messages be due whose recipients' hours have come; how many they were."""
    async with db.begin() as tx:
        return await hours.let_go(tx.conn, tx.now)


async def weigh(db: Database) -> int:
    """Refresh the gauges of what waits here; finds nothing to do, ever."""
    async with db.read() as conn:
        waiting = await queue.waiting(conn)
        metrics.IN_LINE.set(await pace.standing(conn))
        metrics.UNCERTAIN.set(await uncertain.undecided(conn))
    for state in OPEN:
        metrics.WAITING.labels(state.value).set(waiting.get(state.value, 0))
    return 0


async def tally(db: Database, thresholds: Thresholds) -> int:
    """Refresh the gauges of what became of surveys; finds nothing to do, ever.

    Account managers are no labels: who they are concerns nobody who looks at machines.
    """
    now = db.clock.now()
    async with db.read() as conn:
        found = await rates.sums(conn, now - SPAN, now)
    metrics.TARGET.set(thresholds.target)
    metrics.FLOOR.set(thresholds.floor)
    metrics.SURVEYS.clear()
    for (programme, channel), sums in found.items():
        for outcome in OUTCOMES:
            metrics.SURVEYS.labels(programme, channel, outcome).set(getattr(sums, outcome))
    metrics.RESPONSE_RATIO.clear()
    metrics.INCENTIVES.clear()
    for programme in {programme for programme, _ in found}:
        sums = total(sums for (of, _), sums in found.items() if of == programme)
        if sums.share is not None:
            metrics.RESPONSE_RATIO.labels(programme).set(sums.share)
        for outcome in INCENTIVES if sums.promised else ():
            metrics.INCENTIVES.labels(programme, outcome).set(getattr(sums, outcome))
    return 0


@dataclass(frozen=True, slots=True)
class Views:
    """Proves, reminder by reminder, that the answers of its key are known (delivery rule 9).

    First the waiting reminders are read, then how far the group of dispatch lags on `afterword.responses`.
    Where the partition of a reminder's key has no lag, every answer published before the reminder was stored
    has been handled.
    """

    db: Database
    bus: Bus

    async def prove(self) -> int:
        """Let reminders through whose view is current, or that waited 15 minutes; how many it were."""
        async with self.db.read() as conn:
            waiting = await queue.unproven(conn, BATCH)
        if not waiting:
            return 0
        lags = await self._lags()
        proven = [one for one in waiting if _current(one, lags)]
        failpoint("dispatch.after_lag_before_proof")
        async with self.db.begin() as tx:
            await queue.prove(tx.conn, [one.delivery_id for one in proven])
        stale = sum(1 for one in proven if _lag_of(one.key, lags) != 0)
        metrics.STALE_VIEWS.inc(stale)
        return len(proven)

    async def _lags(self) -> Mapping[Partition, int]:
        """Lag per partition; empty when the broker cannot say."""
        try:
            return await self.bus.lag(f"afterword.{self.db.service}", [Topic.RESPONSES.value])
        except Unavailable:
            return {}


def _current(one: Unproven, lags: Mapping[Partition, int]) -> bool:
    return view_is_current(
        step=1, lag=_lag_of(one.key, lags), waited=timedelta(seconds=min(one.waited, _LONG))
    )


_LONG = VIEW_PATIENCE.total_seconds() * 2


def _lag_of(key: str, lags: Mapping[Partition, int]) -> int | None:
    if not lags:
        return None
    return lags.get((Topic.RESPONSES.value, partition_of(key.encode(), len(lags))))
