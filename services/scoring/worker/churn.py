"""What scoring does by itself with departures: look once a day whether more customers leave than before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from services.scoring import metrics
from services.scoring.domain import leaving
from services.scoring.domain.leaving import Rise
from services.scoring.store import churn, drops
from shared.contracts.scores import ChurnRising
from shared.db.database import Database, Tx


def watching(db: Database) -> Callable[[], Awaitable[int]]:
    """One round of looking whether churn rises; each day of business time is looked at once."""

    async def watch() -> int:
        async with db.begin() as tx:
            today = tx.now.date()
            if not await churn.look(tx.conn, today):
                return 0
            now, before = leaving.spans(today)
            found = leaving.rises(await churn.counted(tx.conn, before, now))
            quiet = await churn.quiet(tx.conn, today)
            await churn.seen(tx.conn, today, {one.part for one in found} & quiet)
            new = [one for one in found if one.part not in quiet]
            if not new:
                return 0
            await churn.save(tx.conn, today, new)
            happened = await drops.happened(tx.conn, now)
            for one in _told(found, new):
                _emit(tx, one, found, [f"{kind}: {label}" for _, kind, label in happened])
        return 0

    return watch


def _told(found: Sequence[Rise], new: Sequence[Rise]) -> Sequence[Rise]:
    """What is an event of its own: while more of all customers leave, a tier or product is part of that."""
    whole = any(one.part == leaving.WHOLE for one in found)
    return [one for one in new if one.part == leaving.WHOLE or not whole]


def _emit(tx: Tx, one: Rise, found: Sequence[Rise], happened: Sequence[str]) -> None:
    before, after = one.before, one.after
    dimension, value = one.part
    whole = one.part == leaving.WHOLE
    tx.emit(
        ChurnRising(
            dimension=dimension, value=value,
            parts=tuple(":".join(part.part) for part in found if whole and part is not one),
            left_before=before.left, left_after=after.left, renewed_before=before.renewed,
            renewed_after=after.renewed, accounts_before=round(before.accounts),
            accounts_after=round(after.accounts), before=before.rate, after=after.rate,
            expected=one.expected, low=one.low, high=one.high, chance=one.chance,
            happened=tuple(happened), at=tx.now,
        ),
        identity=str(tx.now.date()) if whole else f"{tx.now.date()}/{dimension}/{value}", key="churn",
    )  # fmt: skip
    metrics.CHURN_RISES.inc()
