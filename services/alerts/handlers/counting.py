"""What improvements have changed is counted so far, then for good, and all of them can be told again."""

from __future__ import annotations

from services.alerts.domain import improvements as rules
from services.alerts.domain.effect import SETTLES, SPAN
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
            after = rules.counted(one, await improvements.count(tx.conn, one, tx.now))
            await improvements.save(tx.conn, after)
            announce(tx, after)
    return len(found)


async def count_so_far(db: Database) -> int:
    """Count anew what those have changed whose 90 days are not over, each once in an hour; returns how many.

    Pages show that: among a million answers it takes longer than a page may.
    """
    async with db.read() as conn:
        found = await improvements.outdated(conn, db.clock.now(), BATCH)
    for one in found:
        async with db.begin() as tx:
            await improvements.keep_standing(tx.conn, one, await improvements.count(tx.conn, one, tx.now))
    return len(found)


async def republish(tx: Tx) -> None:
    """Announce all improvements once more, for a broker that lost its data."""
    after = None
    while found := await improvements.page_of(tx.conn, after, PAGE):
        for one in found:
            announce(tx, one)
        after = found[-1].id
