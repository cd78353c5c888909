"""What scoring does by itself: announce headlines, close months, look for drops, refresh gauges."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import chain

from services.scoring import metrics
from services.scoring.domain import dropping
from services.scoring.domain.asking import Question, Span
from services.scoring.domain.headlines import Headline, told
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import GROUP_NAMES
from services.scoring.domain.rates import rate
from services.scoring.store import drops, months, queries, reports
from services.scoring.store.headlines import FEED, all_headlines, unannounced
from services.scoring.store.judging import Judged, judged
from shared.contracts.model import Family
from shared.contracts.scores import ScoreDropped
from shared.db.database import Database, Tx
from shared.db.notify import ring
from shared.runtime.failpoints import failpoint

ANNOUNCED_AT_ONCE = 200


def announcing(db: Database) -> Callable[[], Awaitable[int]]:
    """One round of announcing: a headline that changed a hundred times is announced once, as it is now."""

    async def announce() -> int:
        async with db.begin() as tx:
            changed = await unannounced(tx.conn, ANNOUNCED_AT_ONCE)
            if changed:
                failpoint("scoring.after_headline_claim")
                await ring(tx.conn, FEED)
            for headline in changed:
                _emit(tx, headline)
        # Fewer than a full round: wait, so that what changes next is told together.
        return len(changed) if len(changed) == ANNOUNCED_AT_ONCE else 0

    return announce


def closing(db: Database, settle: float = 0.0) -> Callable[[], Awaitable[int]]:
    """One round of closing the months of cells that are over, one a round.

    Args:
        db: Where cells are.
        settle: Machine seconds from now in which none is closed: while a new version is rolled out, processes
            of the one before write cells of days alone.
    """
    starts = db.machine.monotonic() + settle

    async def close() -> int:
        if db.machine.monotonic() < starts:
            return 0
        async with db.begin() as tx:
            return int(await months.close_one(tx))

    return close


async def republish(tx: Tx) -> None:
    """Announce every headline again, for a broker that lost everything."""
    for headline in await all_headlines(tx.conn):
        _emit(tx, headline)


def _emit(tx: Tx, headline: Headline) -> None:
    changed = told(headline, tx.now)
    tx.emit(changed, identity=f"{changed.cell}:{changed.version}", key=changed.cell)


def watching(db: Database) -> Callable[[], Awaitable[int]]:
    """One round of looking whether a score dropped; each day of business time is looked at once."""

    async def watch() -> int:
        async with db.begin() as tx:
            today = tx.now.date()
            if not await drops.look(tx.conn, today):
                return 0
            now, before = dropping.spans(today)
            compared = await reports.compared(tx.conn, now, before)
            watched = [
                dropping.Watched(f"{one.metric}/{one.family}/{one.programme}", one.change) for one in compared
            ]
            found = dropping.drops(watched, await drops.quiet(tx.conn, today))
            if found:
                await drops.save_drops(tx.conn, today, found)
                happened = await drops.happened(tx.conn, now)
                for one, chance in found:
                    _emit_drop(tx, one, chance, [f"{kind}: {label}" for _, kind, label in happened])
        return 0

    return watch


def _emit_drop(tx: Tx, one: dropping.Watched, chance: float, happened: list[str]) -> None:
    metric, family, programme = one.cell.split("/", 2)
    change = one.change
    dropped = ScoreDropped(
        cell=one.cell, metric=metric, before=change.before.value or 0, after=change.after.value or 0,
        n_before=change.before.n, n_after=change.after.n, programme=programme, family=Family(family),
        low=change.low, high=change.high, chance=chance, happened=tuple(happened), at=tx.now,
    )  # fmt: skip
    tx.emit(dropped, identity=f"{one.cell}:{tx.now.date()}", key=one.cell)
    metrics.DROPS.labels(programme, metric).inc()


_SCORES = {
    Metric.NPS: (metrics.NPS, metrics.NPS_LOW, metrics.NPS_HIGH),
    Metric.NPS5: (metrics.NPS5, metrics.NPS5_LOW, metrics.NPS5_HIGH),
}
_SHARES = (metrics.SHARE, metrics.SHARE_LOW, metrics.SHARE_HIGH)
"""Gauges of a score and of both ends of its interval."""


def refreshing(db: Database) -> Callable[[], Awaitable[int]]:
    """One round of refreshing the gauges; a programme without an answer has none rather than 0."""

    async def refresh() -> int:
        async with db.read() as conn:
            scores = await judged(conn, Question("programme"))
            asked = await queries.rates(conn, "programme", Span())
        for gauge in (*chain(*_SCORES.values()), *_SHARES, metrics.ANSWERS):
            gauge.clear()
        metrics.RESPONSE_RATIO.clear()
        for found in scores:
            _set(found)
        for (_, programme), counts in asked.items():
            value = rate(counts).value
            if value is not None:
                metrics.RESPONSE_RATIO.labels(programme).set(value)
        return 0

    return refresh


def _set(found: Judged) -> None:
    scored = found.score
    names = GROUP_NAMES[scored.metric]
    for group, answers in zip(names, (scored.split.high, scored.split.middle, scored.split.low), strict=True):
        metrics.ANSWERS.labels(found.value, scored.metric.value, names[group]).set(answers)
    if scored.value is None or scored.low is None or scored.high is None:
        return
    values = (scored.value, scored.low, scored.high)
    for gauge, value in zip(_SCORES.get(scored.metric, ()), values, strict=False):
        gauge.labels(found.value, found.family).set(value)
    if scored.metric in (Metric.CSAT, Metric.CES):
        for gauge, value in zip(_SHARES, values, strict=True):
            gauge.labels(found.value, found.family, scored.metric.value).set(value / 100)
