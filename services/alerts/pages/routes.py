"""All pages: GET shows, POST acts and goes back to the page; a refusal shows the page with its reason."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.alerts.handlers.applying import Desk
from services.alerts.pages import (
    case,
    feeds,
    findings,
    improvements,
    inbox,
    joining,
    policies,
    reaching,
    report,
    rota,
    steps,
    swaps,
    take,
    tasks,
)
from services.alerts.pages.house import KEYS, KEYS_PATH, STYLE, STYLE_PATH, House, templates
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.web.static import FOR_EVER


def router(desk: Desk, db: Database, clock: Clock) -> APIRouter:
    """The routes of all pages."""
    routes = APIRouter(include_in_schema=False)
    house = House(desk, db, clock, templates())

    @routes.get(STYLE_PATH)
    async def style(request: Request) -> Response:
        """What these pages add to the shared style sheet."""
        return STYLE.response(request, {"Cache-Control": FOR_EVER})

    @routes.get(KEYS_PATH)
    async def keys(request: Request) -> Response:
        """The keys of the inbox."""
        return KEYS.response(request, {"Cache-Control": FOR_EVER})

    first = (reaching, inbox, report, findings, improvements, joining, take)
    for pages in (*first, case, steps, rota, policies, swaps, feeds, tasks):
        pages.add(routes, house)
    return routes
