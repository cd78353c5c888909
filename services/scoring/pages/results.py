"""Results: did changes help, are goals in reach, did the unhappy leave, how do scores stand to others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from services.scoring.domain.asking import Span
from services.scoring.domain.references import References
from services.scoring.domain.windows import Window
from services.scoring.handlers.comparing import PATH, query_of
from services.scoring.pages import views
from services.scoring.pages.outcomes import Outcomes
from services.scoring.store import outcomes, products, queries, results
from services.scoring.store.references import beside
from services.scoring.store.results import Aim, Fix
from shared.db.database import Connection, Database
from shared.runtime.clock import Clock
from shared.security.access import Role, User, require_role
from shared.web.templates import environment, page

HERE = Path(__file__).parent
A_PAGE = 24
"""Comparisons of scores before and after a change that are shown; all of them are in the download."""
Viewer = Annotated[User, Depends(require_role(Role.VIEWER))]


def result_pages(db: Database, clock: Clock, references: References) -> APIRouter:
    """The page of results."""
    router = APIRouter(include_in_schema=False)
    env = environment(HERE, HERE / "locales")

    @router.get("/scores/results")
    async def shown(request: Request, user: Viewer) -> HTMLResponse:
        """Goals, changes, outcomes and references, each with what can be said of it."""
        speech = views.speech_of(request, user, env)
        locale = speech.locale
        today = clock.now().date()
        async with db.read() as conn:
            shipped = await results.shipped(conn, today)
        of_products, of_programmes, by_programme, content = await db.at_once(
            lambda conn: results.about_products(conn, shipped),
            lambda conn: results.about_programmes(conn, shipped),
            lambda conn: outcomes.by_programme(conn, today),
            lambda conn: _beside_fixes(conn, references, today),
        )
        fixes = results.fixes_of(shipped, of_products, of_programmes)
        titles = content["titles"]
        content |= {
            "may_see_accounts": user.role.includes(Role.REP),
            "fixes": (told := _telling(fixes)),
            "more_fixes": len(fixes) - len(told),
            "by_programme": Outcomes.of(by_programme),
            "compared_with": _compared_with,
            "answers_of": _answers_of,
            "kind_answers": _kind_answers,
            "goal_page": lambda aim, programme: _goal_page(aim, programme, today),
            "most_looked_at": products.NEWEST,
            "day": speech.day,
            "title_of": lambda key: views.title_of(titles, key, locale),
            "group_of": lambda one: one.title.get(locale) or one.title.get("en") or one.group,
        }
        return page(request, env, "results.html", content, locale=locale)

    return router


async def _beside_fixes(conn: Connection, references: References, today: date) -> dict[str, Any]:
    """What else the page shows."""
    return {
        "titles": await queries.titles(conn),
        "goals": await results.goals(conn, today),
        "outcomes": await results.outcomes(conn, today),
        "held": await beside(conn, references, today),
    }


def _telling(fixes: Sequence[Fix]) -> list[Fix]:
    """The comparisons that a page has room for: what is sure before all else, in the order of the changes."""
    chosen = sorted(range(len(fixes)), key=lambda place: not fixes[place].certain)[:A_PAGE]
    return [fixes[place] for place in sorted(chosen)]


def _compared_with(fix: Fix, programme: str) -> str:
    """Where what one programme's answers say of the product is held against the days before the change."""
    where = f"product:{fix.product}"
    return f"{PATH}?" + query_of(
        {
            "around": fix.day.isoformat(), "family": fix.family, "a.programme": programme, "a.where": where,
            "b.programme": programme, "b.where": where,
        }
    )  # fmt: skip


def _answers_of(fix: Fix, span: Span) -> str:
    """Where the answers of one side of a change are."""
    return "/scores/answers?" + query_of(
        {
            "programme": fix.programme, "where": [f"product:{fix.product}"] if fix.product else [],
            "family": fix.family, "metric": fix.metric.value, **_days(span),
        }
    )  # fmt: skip


def _kind_answers(family: str, metric: str) -> str:
    """Where the answers of a year to all surveys of one kind are."""
    told = {"family": family, "metric": metric, "period": Window.DAYS_365.value}
    return f"/scores/answers?{query_of(told)}"


def _goal_page(aim: Aim, programme: str, today: date) -> str:
    """The page of a programme of a goal, with the days that count towards it."""
    return f"/scores?{query_of({'programme': programme, **_days(aim.goal.now(today))})}"


def _days(span: Span) -> dict[str, str]:
    return {"from": span.first.isoformat(), "to": span.last.isoformat()}
