"""What scoring does by itself with open answers: look once a day whether a theme rises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from services.scoring import metrics
from services.scoring.domain import dropping, rising
from services.scoring.domain.rising import Rise
from services.scoring.handlers.comments import Library
from services.scoring.store import drops, rises
from shared.contracts.scores import ThemeRising
from shared.db.database import Database, Tx


def watching(db: Database, library: Library) -> Callable[[], Awaitable[int]]:
    """One round of looking whether a theme rises; each day of business time is looked at once."""

    async def watch() -> int:
        async with db.begin() as tx:
            today = tx.now.date()
            if not await rises.look(tx.conn, today, library.ready.version):
                return 0
            now, before = dropping.spans(today)
            found = rising.rises(*await rises.heard(tx.conn, before, now))
            new = rising.untold(found, await rises.quiet(tx.conn, today))
            await rises.seen(tx.conn, today, found)
            if new:
                told = [
                    (one, library.written.names_of(one.theme), library.written.team_of(one.theme))
                    for one in new
                ]
                await rises.save(tx.conn, today, told)
                happened = [f"{kind}: {label}" for _, kind, label in await drops.happened(tx.conn, now)]
                for one, names, team in told:
                    _emit(tx, one, names, team, happened)
        return 0

    return watch


def _emit(tx: Tx, one: Rise, names: Mapping[str, str], team: str, happened: list[str]) -> None:
    change = one.change
    tx.emit(
        ThemeRising(
            theme=one.theme, n_before=one.before.n, n_after=one.after.n, names=dict(names), team=team,
            comments_before=change.before.n, comments_after=change.after.n, before=change.before.value,
            after=change.after.value, low=change.low, high=change.high, chance=one.chance,
            negative_before=one.before.negative, negative_after=one.after.negative,
            accounts=one.after.accounts, programmes=one.programmes, happened=tuple(happened), at=tx.now,
        ),
        identity=f"{one.theme}:{tx.now.date()}", key=one.theme,
    )  # fmt: skip
    metrics.RISES.labels(one.theme).inc()
