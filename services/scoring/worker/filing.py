"""Tables of the score pages, put into a folder each day or week: for a sheet, or for a drive kept in step.

A file appears whole or not at all. Two processes that write the same one write the same name and replace each
other's, so that a crash between the file and its record does no harm.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from services.scoring import metrics
from services.scoring.domain.facts import State
from services.scoring.domain.filing import Schedule, days_of, due_day, next_attempt
from services.scoring.domain.tables import SHAPES, Table
from services.scoring.domain.windows import Window
from services.scoring.handlers.tables import Shelf, Wanted, pages_of
from services.scoring.store import filed
from services.scoring.store.exports import WantedFacts
from services.scoring.store.filed import Became, Claimed
from shared.db.database import Database
from shared.runtime.attempts import Failed, attempted
from shared.runtime.ids import random_id
from shared.runtime.logging import get_logger
from shared.web.exports import Format, written

HOLD = timedelta(minutes=15)
"""How long a file stays with the one who took it; longer than the largest takes."""

LATEST = "latest"
"""Beside the folders of each day: the newest of each table, under a name that stays."""

log = get_logger("filing")


@dataclass(frozen=True, slots=True)
class Cabinet:
    """Where tables go, which, as what, when, and what days they tell of."""

    folder: Path
    tables: Sequence[Table]
    kind: Format
    schedule: Schedule
    window: Window


def filing(db: Database, shelf: Shelf, cabinet: Cabinet) -> Callable[[], Awaitable[int]]:
    """One round: plan what is due, write what is planned. No transaction is open while a file is written."""

    async def file() -> int:
        now, wall = db.clock.now(), db.machine.wall()
        day = due_day(now, cabinet.schedule)
        async with db.begin() as tx:
            await filed.plan(tx.conn, day, [table.value for table in cabinet.tables], tx.now, wall)
            taken = await filed.claim(tx.conn, day, wall, wall + HOLD)
        for one in taken:
            await _file(db, shelf, cabinet, day, one)
        return 0

    return file


async def _file(db: Database, shelf: Shelf, cabinet: Cabinet, day: date, one: Claimed) -> None:
    async def write() -> int:
        return await _written(shelf, cabinet, day, Table(one.name))

    found = await attempted(write)
    now = db.clock.now()
    if isinstance(found, Failed):
        again = db.machine.wall() + next_attempt(one.attempts)
        became = Became("pending", now, detail=_why(found.error), again=again)
        # A folder that is away is the operator's to bring back: its name says more than a place in our code.
        place = None if isinstance(found.error, OSError) else found.error
        log.error(
            "table_not_filed",
            day=str(day),
            table=one.name,
            why=became.detail,
            again=str(again),
            exc_info=place,
        )
    else:
        became = Became("written", now, found)
    async with db.begin() as tx:
        await filed.record(tx.conn, day, one.name, became)
    metrics.FILES.labels("retry" if became.again else "written").inc()


def _why(error: Exception) -> str:
    """What is wrong with a folder, as the system says it; of anything else the log has more."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename or 'the folder'}"
    return f"{type(error).__name__}; the log has more"


async def _written(shelf: Shelf, cabinet: Cabinet, day: date, table: Table) -> int:
    """Write one file, and how large it is."""
    days = days_of(day, cabinet.window)
    facts = WantedFacts(days.now, (State.COUNTED,))
    wanted = Wanted(shelf.db.clock.now(), days.now, days.before, facts)
    pieces = written(cabinet.kind, pages_of(table, shelf, wanted), SHAPES[table].columns)
    name = f"scores-{table}.{cabinet.kind}"
    own = cabinet.folder / day.isoformat() / name
    # The folder itself is the operator's: where a drive is not mounted nothing is put in its place.
    await asyncio.to_thread(_ready, own.parent, cabinet.folder / LATEST)
    size = await _put(pieces, own)
    await asyncio.to_thread(_copied, own, cabinet.folder / LATEST / name)
    return size


def _ready(*folders: Path) -> None:
    for folder in folders:
        folder.mkdir(exist_ok=True)


async def _put(pieces: AsyncIterator[bytes], file: Path) -> int:
    """Write a file under another name and rename it when it is whole."""
    draft = _draft_of(file)
    size = 0
    try:
        with await asyncio.to_thread(draft.open, "wb") as out:
            async for piece in pieces:
                size += await asyncio.to_thread(out.write, piece)
        await asyncio.to_thread(draft.replace, file)
    finally:
        await asyncio.to_thread(draft.unlink, missing_ok=True)
    return size


def _copied(file: Path, other: Path) -> None:
    draft = _draft_of(other)
    try:
        shutil.copyfile(file, draft)
        draft.replace(other)
    finally:
        draft.unlink(missing_ok=True)


def _draft_of(file: Path) -> Path:
    return file.with_name(f".{file.name}.{random_id().hex}")
