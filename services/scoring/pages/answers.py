"""The answers behind a number: who gave them, and what they wrote; from reps upwards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import Field
from typing_extensions import override

from services.scoring.domain.asking import Span
from services.scoring.domain.cohorts import answered_within
from services.scoring.domain.cutting import MOST_FACTS
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Group
from services.scoring.domain.sides import NoSuchSide, Side, cut_of
from services.scoring.handlers.comments import Library, words
from services.scoring.handlers.comparing import Where
from services.scoring.pages import views
from services.scoring.pages.detail import SPLITS
from services.scoring.pages.filters import Filters, NothingChosen, known_programme
from services.scoring.store import accounts, answers, queries, sides
from services.scoring.store.answers import Wanted
from services.scoring.store.sides import Extent
from shared.db.database import Connection, Database
from shared.runtime.clock import Clock
from shared.security.access import Role, User, require_role
from shared.web.cursors import after_day, cursor_of
from shared.web.i18n import negotiate
from shared.web.problems import Problem
from shared.web.templates import environment, page, speaking

HERE = Path(__file__).parent
A_PAGE = 25
Rep = Annotated[User, Depends(require_role(Role.REP))]


class AnswerFilters(Filters):
    """What the address says.

    `of` is the value that `split` is to have, `where` a cut, less `without`. The days are those of the
    answers, or, `by=asked`, those on which the surveys were handed over, as response rates have them.
    """

    account: Annotated[UUID | None, NothingChosen] = None
    by: Literal["", "answered", "asked"] = ""
    metric: Annotated[Metric | None, NothingChosen] = None
    group: Annotated[Group | None, NothingChosen] = None
    of: str = Field("", max_length=200)
    where: Where = Field([])
    without: Where = Field([])
    cursor: str = Field("", max_length=200)

    def side(self, span: Span) -> Side | None:
        """The cut; None where answers of a programme or an account are wanted, or one part of them.

        Raises:
            Problem: 422, there is no such cut.
        """
        if self.account or (self.programme and not (self.where or self.without)):
            return None
        try:
            return Side(span, cut_of(self.programme, self.where), cut_of("", self.without))
        except NoSuchSide as error:
            raise Problem(422, f"where: {error}.", field="where") from error

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
        } | more
        return super().answers(**kept)

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
        _check(filters)
        locale = negotiate(user.locale, request.headers.get("accept-language"))
        texts = speaking(env, locale)
        speech = views.Speech(locale, texts["_"], texts["ngettext"])
        span = filters.span(clock.now().date())
        asked = span if filters.by == "asked" else None
        wanted = Wanted(
            filters.programme, answered_within(asked) if asked else span, filters.family_key, filters.metric,
            filters.group, filters.split if filters.of else "", filters.of, filters.account, asked,
        )  # fmt: skip
        side = filters.side(wanted.span)
        after = after_day(filters.cursor)
        seen: Extent | None = None
        async with db.read() as conn:
            if side:
                seen = await sides.extent(conn, side, filters.family_key, MOST_FACTS)
                found = await answers.among(conn, seen.of(side), wanted, after, A_PAGE + 1)
            else:
                found = await answers.listed(conn, wanted, after, A_PAGE + 1)
            if not found:
                await known_programme(conn, filters.programme)
            whose = await _whose(conn, filters.account)
            shown = found[:A_PAGE]
            said = await words(library.sealer, conn, [(one.contact_id, one.words) for one in shown])
            titles = await queries.titles(conn)
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
            "seen": None if seen is None or seen.complete else seen,
            "group_name": lambda group: views.group_name(filters.metric or Metric.NPS, group, speech.say),
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


def _check(filters: AnswerFilters) -> None:
    """See to it that the address means something.

    Raises:
        Problem: 422, it does not.
    """
    if not (filters.programme or filters.where or filters.without or filters.account or filters.family):
        raise Problem(
            422, "Name whose answers are wanted.", field="programme",
            what_to_do="Say programme, account or family, or a cut, as where=tier:key.",
        )  # fmt: skip
    if filters.account and (filters.where or filters.without):
        raise Problem(
            422, "Answers of an account are not cut further.", field="where",
            what_to_do="Leave where and without out, or account.",
        )  # fmt: skip
    if filters.of and filters.split not in SPLITS:
        raise Problem(422, f"split: choose one of {', '.join(SPLITS)}.", field="split")
    if filters.group and not filters.metric:
        raise Problem(422, "metric: say of which score the group is.", field="metric")
