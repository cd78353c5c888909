"""The answers behind a number: who gave them, and what they wrote; from reps upwards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import Field
from typing_extensions import override

from services.scoring.domain.asked import named
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Group
from services.scoring.handlers.answering import Narrowing, asked_for, listing
from services.scoring.handlers.comments import Library, words
from services.scoring.pages import views
from services.scoring.pages.filters import Filters, known_programme
from services.scoring.store import accounts, drivers, queries
from shared.db.database import Connection, Database
from shared.runtime.clock import Clock
from shared.security.access import Role, User, require_role
from shared.web.cursors import after_day, cursor_of
from shared.web.problems import Problem
from shared.web.templates import environment, page

HERE = Path(__file__).parent
A_PAGE = 25
Rep = Annotated[User, Depends(require_role(Role.REP))]


class AnswerFilters(Filters, Narrowing):
    """What the address says, and behind which answer the list goes on."""

    cursor: str = Field("", max_length=200)

    @override
    def answers(self, **more: str | Sequence[str]) -> str:
        """This list with something changed."""
        kept: dict[str, str | Sequence[str]] = {
            "where": self.where,
            "without": self.without,
            "family": self.family_key or "",
            "metric": self.metric.value if self.metric else "",
            "group": self.group.value if self.group else "",
            "split": self.split if self.of else "",
            "of": self.of,
            "account": str(self.account) if self.account else "",
            "by": "asked" if self.by == "asked" else "",
            "value": "" if self.value is None else str(self.value),
            "attribute": self.attribute,
            "rated": self.rated.value if self.rated else "",
            "wish": self.wish,
            "wished": self.wished,
        } | more
        return super().answers(**kept)

    @property
    def query(self) -> str:
        """What the address of the file says, which is the same."""
        return self.answers().partition("?")[2]

    @property
    def back(self) -> str:
        """The page on which the number stands that they are behind."""
        return f"/scores/accounts/{self.account}" if self.account else self.address(split="")


def answer_pages(db: Database, clock: Clock, library: Library) -> APIRouter:
    """The page of answers."""
    router = APIRouter(include_in_schema=False)
    env = environment(HERE, HERE / "locales")

    @router.get("/scores/answers")
    async def listed(request: Request, user: Rep, filters: Annotated[AnswerFilters, Query()]) -> HTMLResponse:
        """Answers of a programme, an account, a cut or a kind of survey, newest first."""
        speech = views.speech_of(request, user, env)
        locale = speech.locale
        span = filters.span(clock.now().date())
        wanted, side = asked_for(filters.programme, filters.family_key, span, filters.split, filters)
        async with db.read() as conn:
            among = await listing(conn, wanted, side)
            found = await among.after(conn, after_day(filters.cursor), A_PAGE + 1)
            if not found:
                await known_programme(conn, filters.programme)
            whose = await _whose(conn, filters.account)
            shown = found[:A_PAGE]
            said = await words(library.sealer, conn, [(one.contact_id, one.words) for one in shown])
            titles = await queries.titles(conn)
            asked = await drivers.words_of(conn, filters.programme)
        last = shown[-1] if len(found) > A_PAGE else None
        content: dict[str, Any] = {
            "filters": filters,
            "answers": list(zip(shown, said, strict=True)),
            "more": filters.answers(cursor=cursor_of(last.day.toordinal(), last.response_id)) if last else "",
            "span": speech.span(span),
            "day": speech.day,
            "title": whose or views.title_of(titles, filters.programme, locale),
            "side": side,
            "title_of": lambda key: views.title_of(titles, key, locale),
            "seen": None if among.seen is None or among.seen.complete else among.seen,
            "group_name": lambda group: views.group_name(filters.metric or Metric.NPS, group, speech.say),
            "rated_name": lambda group: views.rated_name(group, speech.say),
            "attribute_name": lambda name: named(name, asked, locale),
            "may_export": user.role.includes(Role.MANAGER),
            "groups": list(Group),
        }
        return page(request, env, "answers.html", content, locale=locale)

    return router


async def _whose(conn: Connection, account: UUID | None) -> str:
    """The name of the account that answers are asked of; "" where they are of none."""
    if account is None:
        return ""
    found = await accounts.one(conn, account)
    if found is None:
        raise Problem(404, "There is no such account.", what_to_do="See the list of accounts.")
    return found.name or str(found.account_id)
