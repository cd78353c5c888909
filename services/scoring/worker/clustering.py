"""What scoring does by itself for its pages: learn once in a while what would take long to be read anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.scoring.store import bindings, clusterings, fates, outcomes, products
from shared.db.database import Database

AT_ONCE = 200
"""Accounts that are counted anew while nobody may write answers."""


def learning(db: Database) -> Callable[[], Awaitable[int]]:
    """One round of learning: of programmes, of families, of products, and who left after what was said."""

    async def learn() -> int:
        async with db.read() as conn:
            programmes = await clusterings.programmes(conn)
            families = await clusterings.families(conn)
        for programme in programmes:
            async with db.begin() as tx:
                await clusterings.learn(tx.conn, programme, tx.now)
        for family in families:
            async with db.begin() as tx:
                await clusterings.learn_together(tx.conn, family, tx.now)
            async with db.begin() as tx:
                await bindings.learn(tx.conn, family, tx.now)
        async with db.begin() as tx:
            await products.learn(tx.conn, tx.now)
        await _add_up(db)
        return 0

    return learn


async def _add_up(db: Database) -> None:
    """Sum up by programme who left after what was said; first count what an earlier version left behind."""
    async with db.read() as conn:
        unlike = await fates.unlike(conn)
    for first in range(0, len(unlike), AT_ONCE):
        async with db.begin() as tx:
            await fates.close_door(tx.conn)
            await fates.count(tx.conn, unlike[first : first + AT_ONCE])
    async with db.begin() as tx:
        await outcomes.learn(tx.conn, tx.now.date())
