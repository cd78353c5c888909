"""Accounts: who is well, who is silent, and one account with all that explains it; from reps upwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field

from services.scoring.domain.design import APART
from services.scoring.domain.health import Part
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Group
from services.scoring.domain.outcomes import Churn
from services.scoring.domain.periods import Step
from services.scoring.domain.windows import Window, span_of
from services.scoring.handlers.tables import ended_of
from services.scoring.pages import views
from services.scoring.pages.filters import NothingChosen, address_of, known_programme
from services.scoring.store import accounts, customers, fates, queries, results
from services.scoring.store.accounts import After, Wanted
from services.scoring.store.customers import Pool
from services.scoring.store.judging import Course
from shared.contracts.model import Tier
from shared.db.database import Connection, Database
from shared.runtime.clock import Clock
from shared.security.access import Role, User, require_role
from shared.web.cursors import after_of, cursor_of
from shared.web.problems import Problem
from shared.web.templates import page

A_PAGE = 25
SHOWN_ANSWERS = 40
Rep = Annotated[User, Depends(require_role(Role.REP))]


class Filters(BaseModel):
    """What the address of the list says.

    `metric` and `mood` leave those whose contract was renewed or ended within a year, by what their people
    had said before it, in all or in one `programme`; `left` those of them that left, or that stayed.
    """

    model_config = ConfigDict(frozen=True)

    tier: Annotated[Tier | None, NothingChosen] = None
    owner: str = Field("", max_length=200)
    name: str = Field("", max_length=200)
    metric: Annotated[Metric | None, NothingChosen] = None
    mood: Annotated[Group | None, NothingChosen] = None
    left: Annotated[bool | None, NothingChosen] = None
    programme: str = Field("", max_length=200)
    cursor: str = Field("", max_length=200)

    def address(self, **changes: str) -> str:
        """This list with something changed."""
        kept = {
            "tier": self.tier.value if self.tier else "",
            "owner": self.owner,
            "name": self.name,
            "metric": self.metric.value if self.metric else "",
            "mood": self.mood.value if self.mood else "",
            "left": "" if self.left is None else str(self.left).lower(),
            "programme": self.programme,
        } | changes
        return address_of("/scores/accounts", kept)


def account_pages(env: Environment, db: Database, clock: Clock, weights: Mapping[Part, float]) -> APIRouter:
    """The list of accounts, and one."""
    router = APIRouter(include_in_schema=False)

    @router.get("/scores/accounts")
    async def listed(request: Request, user: Rep, filters: Annotated[Filters, Query()]) -> HTMLResponse:
        """Accounts of most annual value first, and the small ones pooled."""
        now, speech = clock.now(), views.speech_of(request, user, env)
        locale = speech.locale
        ended = ended_of(
            filters.metric, filters.mood, now.date(), left=filters.left, programme=filters.programme
        )
        wanted = Wanted(filters.tier.value if filters.tier else "", filters.owner, filters.name, ended)
        after = after_of(filters.cursor)
        async with db.read() as conn:
            found = await accounts.listed(conn, wanted, After(*after) if after else None, A_PAGE + 1)
            said_in = await _said_in(conn, filters.programme, locale)
        shown, (pools, churn) = await customers.customers_beside(
            db, found[:A_PAGE], now, weights, lambda conn: _beside(conn, now.date())
        )
        last = found[A_PAGE - 1] if len(found) > A_PAGE else None
        more = cursor_of(last.annual_value or 0, last.account_id) if last else ""
        content = {
            "customers": shown, "pools": pools, "filters": filters, "tiers": list(Tier), "weights": weights,
            "churn": churn,
            "more": filters.address(cursor=more) if more else "",
            "answers_of": lambda account: _answers_of(account, _year(now)),
            "pool_answers": _pool_answers,
            "ended": ended,
            "said_in": said_in,
            "group_name": lambda group: views.group_name(filters.metric or Metric.NPS, group, speech.say),
        }  # fmt: skip
        return page(request, env, "accounts.html", content, locale=locale)

    @router.get("/scores/accounts/{account_id}")
    async def one(request: Request, user: Rep, account_id: UUID) -> HTMLResponse:
        """One account: health and its parts, users and decision makers apart, history, what is open."""
        now, speech = clock.now(), views.speech_of(request, user, env)
        locale = speech.locale
        found, (answers, titles, beside) = await db.at_once(
            lambda conn: customers.customer(conn, account_id, now, weights),
            lambda conn: _of_account(conn, account_id, now),
        )
        if found is None:
            raise Problem(404, "There is no such account.", what_to_do="See the list of accounts.")
        content: dict[str, Any] = {
            "customer": found,
            "may_export": user.role.includes(Role.MANAGER),
            "answers": answers[:SHOWN_ANSWERS],
            "trends": _trends(answers, speech),
            "title_of": lambda key: views.title_of(titles, key, locale),
            "answers_of": lambda **more: _answers_of(found.account.account_id, _year(now), **more),
            "day": speech.day,
            **beside,
        }
        return page(request, env, "account.html", content, locale=locale)

    return router


async def _said_in(conn: Connection, programme: str, locale: str) -> str:
    """The title of the programme in which accounts had said something; "" for all together."""
    if not programme:
        return ""
    await known_programme(conn, programme)
    return views.title_of(await queries.titles(conn), programme, locale)


async def _of_account(
    conn: Connection, account: UUID, now: datetime
) -> tuple[list[accounts.Answer], dict[str, dict[str, str]], dict[str, Any]]:
    """Answers of two years, titles of programmes, and what happened at an account."""
    return (
        await accounts.answers(conn, account, (now - accounts.HISTORY).date()),
        await queries.titles(conn),
        {
            "happened": await accounts.happened(conn, account),
            "tickets": await accounts.tickets(conn, account),
        },
    )


async def _beside(conn: Connection, today: date) -> tuple[list[Pool], list[Churn]]:
    """Small accounts pooled, and what left within a year."""
    pools = await customers.pools(conn, span_of(Window.DAYS_365, today))
    return pools, await fates.churn(conn, results.since(today))


def _year(now: datetime) -> dict[str, str]:
    """The days that an account's scores are made of."""
    return {"from": (now - customers.LOOKED_BACK).date().isoformat(), "to": now.date().isoformat()}


def _answers_of(account: UUID, days: Mapping[str, str], **more: str) -> str:
    """The answers behind a number of an account: of its days, or of a period; of all of it, or a persona."""
    persona = {"split": "persona", "of": of} if (of := more.pop("persona", "")) else {}
    whole = {"account": str(account), **({} if "period" in more else days), **more, **persona}
    return address_of("/scores/answers", whole)


def _pool_answers(pool: Pool) -> str:
    """The answers behind the score of small accounts of one persona."""
    where = [f"tier:{Tier.SMALL}", f"persona:{pool.value}"]
    told = {"where": where, "family": pool.family, "metric": pool.score.metric.value}
    return address_of("/scores/answers", {**told, "period": Window.DAYS_365.value})


def _trends(answers: list[accounts.Answer], speech: views.Speech) -> list[tuple[Metric, str, Markup]]:
    """A trend by quarter of each metric and family that was answered; no sample of accounts, but one."""
    return [
        (series.metric, series.family, drawn)
        for series in accounts.over_time(answers)
        for drawn, _ in (views.trend_of(Course(series, APART), Step.QUARTER, speech),)
    ]
