"""Accounts: who is well, who is silent, and one account with all that explains it; from reps upwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment
from pydantic import BaseModel, ConfigDict, Field

from services.scoring.domain.design import APART
from services.scoring.domain.health import Part
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.periods import Step
from services.scoring.domain.windows import Window, span_of
from services.scoring.pages import views
from services.scoring.pages.filters import NothingChosen
from services.scoring.store import accounts, customers, queries
from services.scoring.store.accounts import After, Wanted
from services.scoring.store.judging import Course
from services.scoring.store.queries import Series
from shared.contracts.model import Tier
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.security.access import Role, User, require_role
from shared.web.cursors import after_of, cursor_of
from shared.web.i18n import negotiate
from shared.web.problems import Problem
from shared.web.templates import page, speaking

A_PAGE = 25
SHOWN_ANSWERS = 40
Rep = Annotated[User, Depends(require_role(Role.REP))]


class Filters(BaseModel):
    """What the address of the list says."""

    model_config = ConfigDict(frozen=True)

    tier: Annotated[Tier | None, NothingChosen] = None
    owner: str = Field("", max_length=200)
    name: str = Field("", max_length=200)
    cursor: str = Field("", max_length=200)

    def address(self, **changes: str) -> str:
        """This list with something changed."""
        kept = {
            "tier": self.tier.value if self.tier else "",
            "owner": self.owner,
            "name": self.name,
        } | changes
        query = urlencode({key: text for key, text in kept.items() if text})
        return f"/scores/accounts?{query}" if query else "/scores/accounts"


def account_pages(env: Environment, db: Database, clock: Clock, weights: Mapping[Part, float]) -> APIRouter:
    """The list of accounts, and one."""
    router = APIRouter(include_in_schema=False)

    @router.get("/scores/accounts")
    async def listed(request: Request, user: Rep, filters: Annotated[Filters, Query()]) -> HTMLResponse:
        """Accounts of most annual value first, and the small ones pooled."""
        now = clock.now()
        wanted = Wanted(filters.tier.value if filters.tier else "", filters.owner, filters.name)
        after = after_of(filters.cursor)
        async with db.read() as conn:
            found = await accounts.listed(conn, wanted, After(*after) if after else None, A_PAGE + 1)
            shown = await customers.customers(conn, found[:A_PAGE], now, weights)
            pools = await customers.pools(conn, span_of(Window.DAYS_365, now.date()))
        last = found[A_PAGE - 1] if len(found) > A_PAGE else None
        more = cursor_of(last.annual_value or 0, last.account_id) if last else ""
        content = {
            "customers": shown, "pools": pools, "filters": filters, "tiers": list(Tier), "weights": weights,
            "more": filters.address(cursor=more) if more else "",
        }  # fmt: skip
        return page(request, env, "accounts.html", content, locale=_locale(request, user))

    @router.get("/scores/accounts/{account_id}")
    async def one(request: Request, user: Rep, account_id: UUID) -> HTMLResponse:
        """One account: health and its parts, users and decision makers apart, history, what is open."""
        now, locale = clock.now(), _locale(request, user)
        texts = speaking(env, locale)
        speech = views.Speech(locale, texts["_"], texts["ngettext"])
        async with db.read() as conn:
            found = await customers.customer(conn, account_id, now, weights)
            if found is None:
                raise Problem(404, "There is no such account.", what_to_do="See the list of accounts.")
            answers = await accounts.answers(conn, account_id, (now - timedelta(days=730)).date())
            titles = await queries.titles(conn)
            content: dict[str, Any] = {
                "customer": found,
                "may_export": user.role.includes(Role.MANAGER),
                "answers": answers[:SHOWN_ANSWERS],
                "trends": _trends(answers, speech),
                "happened": await accounts.happened(conn, account_id),
                "tickets": await accounts.tickets(conn, account_id),
                "title_of": lambda key: views.title_of(titles, key, locale),
                "day": speech.day,
            }
        return page(request, env, "account.html", content, locale=locale)

    return router


def _locale(request: Request, user: User) -> str:
    return negotiate(user.locale, request.headers.get("accept-language"))


def _trends(answers: list[accounts.Answer], speech: views.Speech) -> list[tuple[Metric, str, Any]]:
    """A trend by quarter of each metric and family that was answered; no sample of accounts, but one."""
    given: dict[tuple[Metric, str], dict[date, list[int]]] = {}
    for answer in answers:
        for metric, value in answer.points:
            given.setdefault((metric, answer.family), {}).setdefault(answer.day, []).append(value)
    return [
        (metric, family, views.trend_of(Course(series, APART), Step.QUARTER, speech))
        for (metric, family), values in sorted(given.items())
        for days in ({day: Histogram.of(metric, of) for day, of in values.items()},)
        for series in (Series(metric, family, "", days),)
    ]
