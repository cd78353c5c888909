"""What scoring does by itself for its pages: learn once in a while what would take long to be read anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.scoring.store import bindings, clusterings, products
from shared.db.database import Database


def learning(db: Database) -> Callable[[], Awaitable[int]]:
    """One round of learning from the newest answers: of programmes, of families, of products."""

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
        return 0

    return learn
