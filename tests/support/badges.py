"""A badge with answers and words behind it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.scoring.domain.badges import Badge, Period, Shown, Wanted
from services.scoring.domain.histogram import Metric
from services.scoring.handlers import badges, quoting
from services.scoring.handlers.comments import reading
from shared.contracts.forms import Permission
from shared.contracts.model import Family
from shared.contracts.permissions import PermissionNoted
from shared.contracts.programmes import ProgrammePublished, ProgrammeState
from shared.contracts.responses import Answered, Mood, Words
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.runtime.ids import derive
from tests.support.score_pages import library_of
from tests.support.scoring import AT, Scoring, answer, snapshot

PROGRAMME = "pulse"
LABEL = "Northwind: would customers recommend us?"
BY = "user:test"


def contact(number: int) -> str:
    """The id of who gave answer `number`."""
    return str(derive("contact", number))


def said(number: int, value: int = 10, **changes: Any) -> Answered:
    """An answer of the programme, each by another person of another account."""
    mood = Mood.HAPPY if value >= 9 else Mood.PASSIVE if value >= 7 else Mood.UNHAPPY
    snap = snapshot(
        PROGRAMME, family=Family.RELATIONSHIP, contact_id=contact(number),
        account_id=str(derive("account", number)),
    )  # fmt: skip
    given: dict[str, Any] = {"snapshot": snap, "mood": mood} | changes
    return answer(number, value, **given)


def noted(number: int, version: int, at: datetime, *, given: bool) -> PermissionNoted:
    """What a rep wrote down of whether an answer may be quoted."""
    return PermissionNoted(
        response_id=str(derive("response", number)), version=version, permission=Permission.QUOTE,
        given=given, by=BY, at=at,
    )  # fmt: skip


class Shopfront:
    """Scoring with a published programme: answers come in, badges are seen."""

    def __init__(self, db: Database, clock: FixedClock) -> None:
        self.db = db
        self.clock = clock
        self.scoring = Scoring(db)
        self.library = library_of(clock)
        self._read = reading(db, self.library.sealer, self.library.ready)

    async def opens(self) -> None:
        """The programme is known."""
        told = ProgrammePublished(
            programme=PROGRAMME, version="v", revision=1, state=ProgrammeState.ACTIVE,
            family=Family.RELATIONSHIP, definition={"title": {"en": "Half-yearly pulse"}},
        )  # fmt: skip
        await self.scoring.take(told)

    async def hears(self, text: str, one: Answered) -> None:
        """An answer comes in with words, which nobody has read yet."""
        async with self.db.begin() as tx:
            sealed = await self.library.sealer.seal(
                tx.conn, [(UUID(one.snapshot.contact_id), Words(texts={"why": text}))]
            )
        await self.scoring.take(one.model_copy(update={"words": sealed[0] if text else ""}))

    async def reads(self) -> None:
        """All words are read."""
        while await self._read():
            pass

    async def crowd(self, count: int = 30) -> None:
        """Answers without words: two promoters to one passive and one detractor."""
        values = (10, 9, 8, 3)
        told = [
            said(
                1000 + n, values[n % 4], at=AT - timedelta(days=n % 30), first_at=AT - timedelta(days=n % 30)
            )
            for n in range(count)
        ]
        await self.scoring.take(*told)

    async def publishes(self, least: int = 5, name: str = "badge") -> Badge:
        """A badge of the programme."""
        wanted = Wanted(LABEL, PROGRAMME, Metric.NPS, Period.DAYS_90, least)
        async with self.db.begin() as tx:
            return await badges.publish(tx, derive("badge", name), wanted, by=BY)

    async def chooses(self, badge: Badge, number: int) -> bool:
        """An operator wants the words of an answer beside it."""
        async with self.db.begin() as tx:
            return await badges.choose(tx, badge, derive("response", number), by=BY)

    async def unquotes(self, number: int) -> bool:
        """Somebody says by word of mouth that they are not to be quoted."""
        async with self.db.begin() as tx:
            return await quoting.unquote(tx, derive("response", number), by=BY)

    async def shows(self, badge: Badge) -> Shown:
        """What everybody sees."""
        async with self.db.read() as conn:
            return await badges.public(conn, self.library, badge, self.clock.now().date())

    async def quoted(self, badge: Badge) -> list[str]:
        """The words that everybody sees."""
        return [one.words for one in (await self.shows(badge)).quotes]
