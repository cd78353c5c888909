"""What improvements have changed is counted once and for good, and all of them can be told again."""

from __future__ import annotations

from services.alerts.domain import improvements as rules
from services.alerts.domain.effect import SETTLES, SPAN, Figures
from services.alerts.handlers.improving import announce
from services.alerts.store import improvements
from shared.db.database import Database, Tx

BATCH = 20
PAGE = 500


async def count_effects(db: Database) -> int:
    """Count the effect of improvements whose 90 days are over; returns how many."""
    async with db.begin() as tx:
        found = await improvements.countable(tx.conn, tx.now - SPAN - SETTLES, BATCH)
        for one in found:
            effects = await improvements.effects(tx.conn, one, tx.now)
            cases = await improvements.cases_by_cause(tx.conn, one, tx.now)
            after = rules.counted(one, Figures(tuple(effects), cases, tx.now))
            await improvements.save(tx.conn, after)
            announce(tx, after)
    return len(found)


async def republish(tx: Tx) -> None:
    """Announce all improvements once more, for a broker that lost its data."""
    after = None
    while found := await improvements.page_of(tx.conn, after, PAGE):
        for one in found:
            announce(tx, one)
        after = found[-1].id
