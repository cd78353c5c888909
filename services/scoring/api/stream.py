"""`/v1/scores/stream`: headlines as they change."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from services.scoring.domain.headlines import told
from services.scoring.store.headlines import FEED, all_headlines, announced_since
from shared.contracts.scores import ScoreChanged
from shared.db.database import Connection, Database
from shared.db.notify import place_now
from shared.runtime.clock import Clock
from shared.runtime.feed import Change, Feed, News
from shared.security.access import Scope
from shared.web.streams import Events, EventSourceResponse, described, watching

CHANGED = "score.changed"


def routes(db: Database, clock: Clock) -> APIRouter:
    """The route of the stream."""
    router = APIRouter(prefix="/v1/scores", tags=["scores"])
    opened = Depends(watching(_feed(db, clock), Scope.SCORES_READ))

    @router.get(
        "/stream",
        response_class=EventSourceResponse,
        responses={429: {}},
        openapi_extra=described(CHANGED, ScoreChanged),
    )
    async def stream(events: Events = opened) -> Events:
        """Headlines as Server-Sent Events `score.changed`: first each as it is, then those that change.

        At most one a second for each; the data are those of the event `score.changed.v1`.
        """
        async for event in events:
            yield event

    return router


def _feed(db: Database, clock: Clock) -> Feed:
    async def read(conn: Connection, place: str) -> News:
        # The place comes first: what commits in between is told twice rather than never.
        now = await place_now(conn)
        found = await (announced_since(conn, place) if place else all_headlines(conn))
        changes = [told(headline, clock.now()) for headline in found]
        return News([Change(one.cell, CHANGED, one.dump().decode()) for one in changes], now)

    return Feed(FEED, db, read)
