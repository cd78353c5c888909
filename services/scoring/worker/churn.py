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
            counted = await churn.counted(tx.conn, before, now)
            found = leaving.rise(*counted) if counted else None
            if found is None:
                return 0
            if await churn.quiet(tx.conn, today):
                await churn.seen(tx.conn, today)
                return 0
            await churn.save(tx.conn, today, found)
            happened = await drops.happened(tx.conn, now)
            _emit(tx, found, [f"{kind}: {label}" for _, kind, label in happened])
        return 0

    return watch


def _emit(tx: Tx, found: Rise, happened: Sequence[str]) -> None:
    before, after = found.before, found.after
    tx.emit(
        ChurnRising(
            left_before=before.left, left_after=after.left, renewed_before=before.renewed,
            renewed_after=after.renewed, accounts_before=round(before.accounts),
            accounts_after=round(after.accounts), before=before.rate, after=after.rate,
            expected=found.expected, low=found.low, high=found.high, chance=found.chance,
            happened=tuple(happened), at=tx.now,
        ),
        identity=str(tx.now.date()), key="churn",
    )  # fmt: skip
    metrics.CHURN_RISES.inc()
