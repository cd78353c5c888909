"""`/v1/scores/themes` and `/v1/scores/comments`: what open answers are about, and the answers."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.scoring.domain.histogram import Metric
from services.scoring.domain.rising import Told
from services.scoring.domain.themes import Counted, Course, Tally, counted
from services.scoring.domain.windows import Window, before, span_of
from services.scoring.handlers.comments import Library, words
from services.scoring.handlers.programmes import known_programme
from services.scoring.store import comments, rises
from services.scoring.store.comments import Comment, Wanted
from shared.contracts.model import Family, Persona
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.security.access import Scope, require_scope
from shared.web.caching import SAME, AskedAgain
from shared.web.cursors import after_day, cursor_of
from shared.words.reading import Tone


class ThemeOut(BaseModel):
    """How often a theme is named in open answers, how it is meant, and against the window before."""

    theme: str
    name: str
    team: str = Field(description="whom it concerns, as the dictionary says")
    n: int
    negative: int
    neutral: int
    positive: int
    accounts: int = Field(description="that name it; who belongs to none is one of their own")
    share: float | None = Field(description="of the comments that name it; None where there are under five")
    low: float = Field(description="lower end of its 95 % interval; comments of colleagues repeat each other")
    high: float
    negative_share: float | None = Field(
        description="of those that name it, the share that complains; None under five"
    )
    negative_low: float
    negative_high: float
    course: Course


class RisingOut(BaseModel):
    """A theme that was named in more comments of 30 days than the 90 before let expect, as it was told."""

    theme: str
    name: str
    team: str
    day: date = Field(description="on which it was told (`theme.rising.v1`)")
    seen: date = Field(description="on which it was last there")
    before: float = Field(description="percent that were to be expected, each programme held against itself")
    after: float = Field(description="percent of the comments of 30 days that named it")
    n_before: int
    n_after: int
    comments_before: int
    comments_after: int
    negative_before: int
    negative_after: int
    accounts: int = Field(description="that named it in these 30 days")
    programmes: list[str] = Field(description="in which it was named more, the most first")


class ThemesOut(BaseModel):
    """Themes of a window, the most named first; of the newest 5,000 comments where there are more.

    There are no more than the dictionary has, so they come at once.
    `rising` are those that rose within the last week, whatever the window is.
    """

    comments: int
    accounts: int = Field(description="that the comments are of")
    themes: list[ThemeOut]
    rising: list[RisingOut]


class CommentOut(BaseModel):
    """One open answer. `words` are empty once their writer was erased."""

    response_id: UUID
    day: date
    programme: str
    family: Family
    account_id: UUID | None
    persona: Persona | None
    scores: dict[Metric, int]
    words: str
    language: str
    tone: Tone = Field(description="by the score; by the text where the score says neither")
    at_odds: bool = Field(description="the text says the contrary of the score")
    themes: dict[str, Tone]
    quotable: bool = Field(description="the writer agreed that the words are shown and published")


class CommentsOut(BaseModel):
    """Comments, newest first; `next` is the cursor of what follows."""

    comments: list[CommentOut]
    next: str | None


class Asked(BaseModel):
    """Which comments are wanted."""

    programme: str = Field("", max_length=200)
    theme: str = Field("", max_length=40)
    tone: Tone | None = None
    language: str = Field("", max_length=2)
    quotable: bool = Field(default=False, description="only those that may be shown to everybody")
    window: Window = Window.DAYS_90
    cursor: str = Field("", max_length=200)
    limit: int = Field(50, ge=1, le=100)


def routes(db: Database, clock: Clock, library: Library) -> APIRouter:
    """The routes: whoever may read scores sees themes; words are for those who may read responses."""
    router = APIRouter(prefix="/v1/scores", tags=["scores"], route_class=AskedAgain, responses=SAME)

    @router.get("/themes", dependencies=[Depends(require_scope(Scope.SCORES_READ))])
    async def themes(
        programme: Annotated[str, Query(max_length=200)] = "",
        family: Family | None = None,
        window: Window = Window.DAYS_90,
        locale: Annotated[str, Query(max_length=10)] = "en",
    ) -> ThemesOut:
        """What open answers are about."""
        today = clock.now().date()
        span = span_of(window, today)
        kind = family.value if family else None
        async with db.read() as conn:
            now = await comments.themes(conn, Wanted(span, programme, kind))
            await known_programme(conn, programme, range(now.comments))
            earlier = before(span, window)
            was = await comments.themes(conn, Wanted(earlier, programme, kind)) if earlier else Tally()
            rising = await rises.standing(conn, today, programme)
        return ThemesOut(
            comments=now.comments,
            accounts=now.accounts,
            themes=[_theme(one, library, locale) for one in counted(now, was)],
            rising=[_rising(one, locale) for one in rising],
        )

    @router.get("/comments", dependencies=[Depends(require_scope(Scope.RESPONSES_READ))])
    async def listed(asked: Annotated[Asked, Query()]) -> CommentsOut:
        """Open answers, newest first."""
        wanted = Wanted(
            span_of(asked.window, clock.now().date()), asked.programme, None, asked.theme,
            asked.tone.value if asked.tone else "", asked.language, asked.quotable,
        )  # fmt: skip
        limit = asked.limit
        async with db.read() as conn:
            found = await comments.listed(conn, wanted, after_day(asked.cursor), limit + 1)
            await known_programme(conn, asked.programme, found)
            said = await words(library.sealer, conn, [(one.contact_id, one.words) for one in found[:limit]])
        return CommentsOut(
            comments=[_out(one, text) for one, text in zip(found, said, strict=False)],
            next=cursor_of(found[limit - 1].day.toordinal(), found[limit - 1].response_id)
            if len(found) > limit
            else None,
        )

    return router


def _theme(one: Counted, library: Library, locale: str) -> ThemeOut:
    named = one.named
    return ThemeOut(
        theme=one.theme, name=library.written.name_of(one.theme, locale),
        team=library.written.team_of(one.theme), n=named.n,
        negative=named.negative, neutral=named.neutral, positive=named.positive, accounts=named.accounts,
        share=named.n / one.of if one.readable else None, low=one.share.low, high=one.share.high,
        negative_share=named.negative / named.n if one.tone_readable else None,
        negative_low=one.complaining.low, negative_high=one.complaining.high, course=one.course,
    )  # fmt: skip


def _rising(one: Told, locale: str) -> RisingOut:
    return RisingOut(
        theme=one.theme, name=one.name(locale), team=one.team, day=one.day, seen=one.seen, before=one.before,
        after=one.after, n_before=one.n_before, n_after=one.n_after, comments_before=one.comments_before,
        comments_after=one.comments_after, negative_before=one.negative_before,
        negative_after=one.negative_after, accounts=one.accounts, programmes=list(one.programmes),
    )  # fmt: skip


def _out(one: Comment, text: str) -> CommentOut:
    return CommentOut(
        response_id=one.response_id, day=one.day, programme=one.programme, family=Family(one.family),
        account_id=one.account_id, persona=Persona(one.persona) if one.persona else None,
        scores=dict(one.points), words=text, language=one.language, tone=Tone(one.tone), at_odds=one.at_odds,
        themes={theme: Tone(tone) for theme, tone in one.themes}, quotable=one.quotable,
    )  # fmt: skip
