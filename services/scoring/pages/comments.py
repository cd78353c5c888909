"""Comments: what open answers are about, and the words themselves, to reps and to whom they were given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field

from services.scoring.domain.asking import Span
from services.scoring.domain.rising import Told
from services.scoring.domain.themes import Counted, Tally, counted
from services.scoring.domain.windows import before
from services.scoring.handlers.comments import Library, words
from services.scoring.handlers.days import days_of
from services.scoring.pages import views
from services.scoring.pages.filters import (
    DEFAULT_PERIOD,
    PERIODS,
    NothingChosen,
    Period,
    address_of,
    known_programme,
)
from services.scoring.store import comments, queries, rises
from services.scoring.store.comments import Wanted
from shared.contracts.model import Family
from shared.db.database import Connection, Database
from shared.runtime.clock import Clock
from shared.security.access import Role, User, require_role
from shared.web import charts
from shared.web.cursors import after_day, cursor_of
from shared.web.problems import Problem
from shared.web.templates import environment, page
from shared.words.reading import Tone

HERE = Path(__file__).parent
A_PAGE = 25
Viewer = Annotated[User, Depends(require_role(Role.VIEWER))]


class Filters(BaseModel):
    """What the address says."""

    model_config = ConfigDict(populate_by_name=True, frozen=True)

    programme: str = Field("", max_length=200)
    family: Annotated[Family | None, NothingChosen] = None
    theme: str = Field("", max_length=40)
    tone: Annotated[Tone | None, NothingChosen] = None
    language: str = Field("", max_length=2)
    period: Period = DEFAULT_PERIOD
    first: Annotated[date | None, NothingChosen] = Field(None, alias="from")
    last: Annotated[date | None, NothingChosen] = Field(None, alias="to")
    cursor: str = Field("", max_length=200)

    @property
    def own_days(self) -> bool:
        """Whether days of one's own are chosen, and no period that ends today."""
        return bool(self.first or self.last)

    def address(self, **changes: str) -> str:
        """This view with something changed; what is as usual is left out."""
        kept = {
            "programme": self.programme,
            "family": self.family.value if self.family else "",
            "theme": self.theme,
            "tone": self.tone.value if self.tone else "",
            "language": self.language,
            "period": "" if self.own_days or self.period == DEFAULT_PERIOD else self.period,
            "from": self.first.isoformat() if self.first else "",
            "to": self.last.isoformat() if self.last else "",
        } | changes
        return address_of("/scores/comments", kept)


def comment_pages(db: Database, clock: Clock, library: Library) -> APIRouter:
    """The page of comments. Viewers see the words of those who agreed alone, without their account."""
    router = APIRouter(include_in_schema=False)
    env = environment(HERE, HERE / "locales")

    @router.get("/scores/comments")
    async def listed(request: Request, user: Viewer, filters: Annotated[Filters, Query()]) -> HTMLResponse:
        """Themes of a period, and its comments, newest first."""
        speech = views.speech_of(request, user, env)
        locale = speech.locale
        trusted = user.role.includes(Role.REP)
        today = clock.now().date()
        _check(filters, library)
        span = days_of(filters.first, filters.last, filters.period, today)
        earlier = before(span, None if filters.own_days else filters.period)
        family = filters.family.value if filters.family else None
        wanted = Wanted(
            span, filters.programme, family, filters.theme, filters.tone or "", filters.language,
            quotable=not trusted,
        )  # fmt: skip
        now, was, (found, said, titles, rising) = await db.at_once(
            lambda conn: comments.themes(conn, wanted),
            lambda conn: _earlier(conn, earlier, wanted),
            lambda conn: _beside(conn, library, wanted, filters, today),
        )
        if not (now.comments or found):
            async with db.read() as conn:
                await known_programme(conn, filters.programme)
        last = found[A_PAGE - 1] if len(found) > A_PAGE else None
        content: dict[str, Any] = {
            "filters": filters,
            "trusted": trusted,
            "may_export": user.role.includes(Role.MANAGER),
            "span": speech.span(span),
            "day": speech.day,
            "title_of": lambda key: views.title_of(titles, key, locale),
            "titles": sorted(titles),
            "name_of": lambda theme: library.written.name_of(theme, locale),
            "team_of": library.written.team_of,
            "tally": now,
            "most": comments.MOST if now.comments >= comments.MOST else 0,
            "rising": rising,
            "themes": [(one, _bar(one, speech)) for one in counted(now, was)],
            "known": [one.key for one in library.written.themes],
            "tones": list(Tone),
            "languages": list(library.ready.tongues),
            "periods": PERIODS,
            "families": list(Family),
            "comments": list(zip(found, said, strict=False)),
            "more": filters.address(cursor=cursor_of(last.day.toordinal(), last.response_id)) if last else "",
        }
        return page(request, env, "comments.html", content, locale=locale)

    return router


def _check(filters: Filters, library: Library) -> None:
    """See to it that theme and language are some that are read.

    Raises:
        Problem: 422, they are not.
    """
    themes, languages = library.written.keys, list(library.ready.tongues)
    if filters.theme and filters.theme not in themes:
        raise Problem(
            422, "There is no such theme.", field="theme",
            what_to_do=f"Choose one of {', '.join(themes)}.",
        )  # fmt: skip
    if filters.language and filters.language not in languages:
        raise Problem(
            422, "Comments are not read in this language.", field="language",
            what_to_do=f"Choose one of {', '.join(languages)}.",
        )  # fmt: skip


_Titles = Mapping[str, Mapping[str, str]]


async def _beside(
    conn: Connection, library: Library, wanted: Wanted, filters: Filters, today: date
) -> tuple[list[comments.Comment], list[str], _Titles, list[Told]]:
    """The comments with their words, titles of programmes, and themes that rise."""
    found = await comments.listed(conn, wanted, after_day(filters.cursor), A_PAGE + 1)
    said = await words(library.sealer, conn, [(one.contact_id, one.words) for one in found[:A_PAGE]])
    titles = await queries.titles(conn)
    return found, said, titles, await rises.standing(conn, today, filters.programme)


async def _earlier(conn: Connection, span: Span | None, wanted: Wanted) -> Tally:
    return await comments.themes(conn, replace(wanted, span=span)) if span else Tally()


def _bar(one: Counted, speech: views.Speech) -> Markup:
    shares = [
        charts.Share(speech.say("positive"), one.named.positive, "high"),
        charts.Share(speech.say("neither"), one.named.neutral, "mid"),
        charts.Share(speech.say("negative"), one.named.negative, "low"),
    ]
    return charts.stack(shares, ", ".join(f"{share.label}: {share.count}" for share in shares))
