"""Badges as everybody sees them: as often as anybody likes, at little cost.

A score is added up once for each state of its programme's answers and for at most a minute, so that it is
the very number of the score pages. Whether a badge stands, and whose words may be shown, is asked each time.
"""

from __future__ import annotations

from asyncio import Semaphore
from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.scoring.domain.badges import Badge, Shown
from services.scoring.domain.metrics import Score
from services.scoring.handlers import badges
from services.scoring.handlers.comments import Library
from services.scoring.store import badges as store
from services.scoring.store import headlines
from shared.db.database import Connection, Database
from shared.runtime.clock import Clock, Machine
from shared.web.problems import Problem

AT_ONCE = 2
"""Looks at badges that have a connection to the database: the others belong to whoever is signed in."""

MOST_WAITING = 100
"""Looks that wait for one of them; more are sent away."""

SECONDS = 60.0
"""Machine time after which a score is added up anew whatever happened: who was asked is in its doubt, too."""

MOST_KNOWN = 500


class _Known(NamedTuple):
    """A score, and the state of the answers that it was added up in."""

    today: date
    version: int
    at: float
    score: Score | None


class Showcase:
    """Shows badges.

    Args:
        db: Where they are.
        clock: Its day is the last of a badge's days.
        machine: Its time limits how long a score is kept.
        library: Opens words.
    """

    def __init__(self, db: Database, clock: Clock, machine: Machine, library: Library) -> None:
        self._db = db
        self._clock = clock
        self._machine = machine
        self.library = library
        self._places = Semaphore(AT_ONCE)
        self._looking = 0
        self._known: dict[UUID, _Known] = {}

    async def look(self, key: str) -> Shown | None:
        """What everybody sees of a badge; None where it was taken back.

        Raises:
            Problem: 404, there never was one; 503, too many look at once.
        """
        if self._looking >= AT_ONCE + MOST_WAITING:
            raise Problem(503, "Too many look at badges at this moment.", retry_after=1)
        self._looking += 1
        try:
            async with self._places, self._db.read() as conn:
                badge = await store.named(conn, key)
                if badge is None:
                    raise Problem(404, "There is no such badge.")
                if not badge.stands:
                    self._known.pop(badge.id, None)
                    return None
                today = self._clock.now().date()
                score = await self._score(conn, badge, today)
                return await badges.with_words(conn, self.library, badge, today, score)
        finally:
            self._looking -= 1

    async def _score(self, conn: Connection, badge: Badge, today: date) -> Score | None:
        now = self._machine.monotonic()
        # Asked before the answers are read: at worst they are newer than the version says, and read again.
        version = await headlines.version_of(conn, badge.wanted.programme)
        known = self._known.get(badge.id)
        if known and (known.today, known.version) == (today, version) and now - known.at < SECONDS:
            return known.score
        score = await badges.score_of(conn, badge, today)
        self._known.pop(badge.id, None)
        while len(self._known) >= MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[badge.id] = _Known(today, version, now, score)
        return score
