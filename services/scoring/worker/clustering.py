"""What scoring does by itself for its intervals: learn once in a while how alike colleagues answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.scoring.store import clusterings
from shared.db.database import Database


def learning(db: Database) -> Callable[[], Awaitable[int]]:
    """One round of learning from the newest answers of each programme, each for itself."""

    async def learn() -> int:
        async with db.read() as conn:
            programmes = await clusterings.programmes(conn)
        for programme in programmes:
            async with db.begin() as tx:
                await clusterings.learn(tx.conn, programme, tx.now)
        return 0

    return learn
