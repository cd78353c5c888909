"""Routes of the score pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from services.scoring.domain.periods import Step
from services.scoring.pages import views
from services.scoring.pages.detail import SPLITS, chosen_split, detail
from services.scoring.pages.filters import PERIODS, Filters
from services.scoring.pages.overview import managers, overview
from services.scoring.store import queries
from shared.contracts.model import Family
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.security.access import Role, User, require_role
from shared.web.i18n import negotiate
from shared.web.templates import environment, page, speaking

HERE = Path(__file__).parent
Viewer = Annotated[User, Depends(require_role(Role.VIEWER))]


def pages(db: Database, clock: Clock, thresholds: views.Thresholds) -> APIRouter:
    """The score pages; the thresholds are those of response rates (R58)."""
    router = APIRouter(include_in_schema=False)
    env = environment(HERE, HERE / "locales")

    @router.get("/scores")
    async def scores(request: Request, user: Viewer, filters: Annotated[Filters, Query()]) -> HTMLResponse:
        """All programmes, or the one that the address names."""
        locale = negotiate(user.locale, request.headers.get("accept-language"))
        texts = speaking(env, locale)
        speech = views.Speech(locale, texts["_"], texts["ngettext"])
        span = filters.span(clock.now().date())
        async with db.read() as conn:
            titles = await queries.titles(conn)
            shared = _shared(filters, thresholds, lambda key: views.title_of(titles, key, locale))
            shared["span"] = speech.span(span)
            if not filters.programme:
                content: dict[str, Any] = {
                    "sections": await overview(conn, filters, span, speech, thresholds),
                    # An account manager is a person: their figures are not every viewer's business.
                    "managers": await managers(conn, filters, span, thresholds)
                    if user.role.includes(Role.REP)
                    else [],
                }
                return page(request, env, "scores.html", shared | content, locale=locale)
            split = chosen_split(filters)
            content = {
                "detail": await detail(conn, filters, split, span, speech, thresholds),
                "split": split,
                "splits": SPLITS,
            }
            return page(request, env, "programme.html", shared | content, locale=locale)

    return router


def _shared(filters: Filters, thresholds: views.Thresholds, title: Callable[[str], str]) -> dict[str, Any]:
    return {
        "filters": filters,
        "periods": list(PERIODS),
        "steps": list(Step),
        "families": list(Family),
        "thresholds": thresholds,
        "title_of": title,
    }
