"""Changes of a service, told to everybody in this process who watches: read once, however many they are.

One task listens while somebody watches (`shared.db.notify`) and reads what was committed when it is rung, by
whichever process. Between two rings nothing is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NoReturn

from shared.db.database import Connection, Database
from shared.db.notify import is_place, listening, place_now
from shared.errors import Unavailable
from shared.runtime.attempts import attempted
from shared.runtime.backoff import Backoff
from shared.runtime.clock import Machine
from shared.runtime.logging import get_logger

READY_SECONDS = 5.0
MOST_PENDING = 2000

log = get_logger("feed")


@dataclass(frozen=True, slots=True)
class Change:
    """How something is now.

    Attributes:
        key: what it is; a later change of the same takes the place of one that was not read yet.
        kind: name of the event.
        data: JSON.
    """

    key: str
    kind: str
    data: str


@dataclass(frozen=True, slots=True)
class News:
    """Changes, and the place after them."""

    changes: Sequence[Change]
    place: str


Read = Callable[[Connection, str], Awaitable[News]]
"""Everything that changed since a place; everything as it is when the place is empty."""


class Watch:
    """What one watcher has not taken yet."""

    def __init__(self, rung: asyncio.Event) -> None:
        self.rung = rung
        """Set when there is something to take."""
        self.behind = False
        """Whether so much was not taken that it was thrown away: go back to the last place and read again."""
        self._pending: dict[str, Change] = {}
        self._place = ""

    def begin(self, news: News) -> None:
        """What there was at the start; news that came meanwhile stand: later ones are told again."""
        self._pending = {change.key: change for change in news.changes} | self._pending
        self._place = news.place
        self.rung.set()

    def put(self, news: News) -> None:
        """Keep news until they are taken."""
        self._pending |= {change.key: change for change in news.changes}
        self._place = news.place
        if len(self._pending) > MOST_PENDING:
            self.behind = True
            self._pending.clear()
        self.rung.set()

    def take(self) -> News | None:
        """What there is; None when there is nothing."""
        if self.behind or not self._place:
            return None
        news = News(list(self._pending.values()), self._place)
        self._pending.clear()
        self._place = ""
        return news


class Feed:
    """Changes of one kind.

    Args:
        name: for logs, metrics and PostgreSQL; who writes the changes rings it (`shared.db.notify.ring`).
    """

    def __init__(self, name: str, db: Database, read: Read) -> None:
        self.name = name
        self._db = db
        self._read = read
        self._watches: set[Watch] = set()
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    @property
    def machine(self) -> Machine:
        """The time that streams of it go by."""
        return self._db.machine

    @asynccontextmanager
    async def watched(self, after: str, rung: asyncio.Event) -> AsyncIterator[Watch]:
        """Watch from a place on, as `since` reads it; `rung` is set when there is something to take.

        Raises:
            Unavailable: the database is away.
        """
        watch = Watch(rung)
        self._watches.add(watch)
        try:
            await self._listen()
            # Whatever is committed after this read is told by the task, which listens already.
            watch.begin(await self.since(after))
            yield watch
        finally:
            self._watches.discard(watch)
            if not self._watches:
                await self._hang_up()

    async def since(self, after: str) -> News:
        """What changed since a place; everything as it is, when the place is empty or not known here."""
        async with self._db.read() as conn:
            return await self._read(conn, after if after and await is_place(conn, after) else "")

    async def _listen(self) -> None:
        if self._task is None:
            self._ready = asyncio.Event()
            work = self._follow(self._ready)
            self._task = asyncio.create_task(work)  # noqa: TID251 - it outlives who comes first; see _hang_up
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._ready.wait()
        except TimeoutError:
            raise Unavailable(f"database: nobody could listen to {self.name}") from None

    async def _hang_up(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _follow(self, ready: asyncio.Event) -> None:
        """Read at each ring and tell; after a lost connection go on from where it was."""
        backoff, place = Backoff(self._db.machine), ""

        async def follow() -> NoReturn:
            nonlocal place
            async with listening(self._db, self.name) as line:
                place = place or await place_now(line.conn)
                ready.set()
                while True:
                    news = await self._read(line.conn, place)
                    place = news.place
                    backoff.reset()
                    if news.changes:
                        for watch in self._watches:
                            watch.put(news)
                    await line.wait()

        while True:
            failed = await attempted(follow)
            ready.clear()
            if failed.transient:
                log.warning("feed_waits", feed=self.name, error=type(failed.error).__name__)
            else:
                log.error("feed_failed", feed=self.name, exc_info=failed.error)
            await backoff.wait()
