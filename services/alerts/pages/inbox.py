"""The inbox: what breaches first at the top, and the answers that wait to be confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.alerts.domain.gap_words import SHARED
from services.alerts.domain.outlook import gaps
from services.alerts.domain.routing import Staff
from services.alerts.handlers.actions import settle
from services.alerts.handlers.applying import Desk
from services.alerts.pages import findings as finding_pages
from services.alerts.pages import rota as rota_pages
from services.alerts.pages import views as page_views
from services.alerts.pages.house import House, Rep, followed
from services.alerts.store import findings, rota, task_views, views, warnings
from shared.db.database import Connection
from shared.db.notify import place_now
from shared.runtime.clock import Clock
from shared.security.access import User
from shared.web.forms import text_fields
from shared.web.problems import Problem
from shared.web.security_headers import allow_script
from shared.web.templates import page

PAGE = 50
SOON = timedelta(hours=4)

VIEWS = {
    "mine": "Mine",
    "team": "Team",
    "soon": "Due",
    "unconfirmed": "Unconfirmed",
    "done": "Done",
}


def add(routes: APIRouter, house: House) -> None:
    """Add the inbox's routes."""

    @routes.get("/inbox")
    async def inbox(request: Request, me: Rep, view: str = "mine") -> Response:
        """Cases, what breaches first at the top."""
        chosen = view if view in VIEWS else "mine"
        async with house.db.read() as conn:
            context = await _inbox(house.desk, conn, me, chosen, house.clock)
        return allow_script(page(request, house.env, "inbox.html", context, locale="en"))

    @routes.post("/inbox/unconfirmed/{response_id}")
    async def unconfirmed(request: Request, response_id: UUID, me: Rep) -> Response:
        """A person looked at a held answer."""
        real = (await text_fields(request)).get("verdict") == "real"
        async with house.db.begin() as tx:
            if await settle(house.desk, tx, response_id, me.id, real=real) is None:
                raise Problem(404, "There is no such answer.", what_to_do="Go back to the inbox.")
        return RedirectResponse("/inbox?view=unconfirmed", 303)


async def _inbox(desk: Desk, conn: Connection, me: User, view: str, clock: Clock) -> dict[str, Any]:
    place = await place_now(conn)
    now = clock.now()
    counts = await views.counts(conn, me.id, now, now + SOON)
    rows: list[page_views.Row] = []
    unsure: list[page_views.Unsure] = []
    if view == "unconfirmed":
        unsure = await page_views.unsure(desk, conn, now, PAGE)
    else:
        query = views.Query(
            owner=me.id if view == "mine" else None,
            unowned_too=True,
            ended=view == "done",
            before=now + SOON if view == "soon" else None,
            limit=PAGE,
        )
        rows = await page_views.rows(desk, conn, await views.lines(conn, query), now)
    staff = await rota.staff(conn, now, desk.leadership, desk.roster)
    return {
        "view": view,
        "tabs": [(_tab(key, counts), f"/inbox?view={key}") for key in VIEWS],
        "current": f"/inbox?view={view}",
        "counts": counts,
        "rows": rows,
        "unsure": unsure,
        "on_call": rota_pages.current(staff, now),
        "more": len(rows) == PAGE,
        "unheard": _unheard(staff, await warnings.unheard(conn, now), now),
        "untold": await findings.failed(conn, now - finding_pages.TOLD),
        "live": followed(place, clocks=view != "done"),
        "due_tasks": (await task_views.counts(conn, me.id, now, now))["mine_late"],
    }


def _unheard(staff: Staff, found: list[tuple[str, datetime, datetime]], now: datetime) -> dict[str, str]:
    """Name and address of the rotas with gaps, not filled yet, of which nobody could be told."""
    still = []
    for key, starts_at, ends_at in found:
        team = staff.team(key)
        if gaps(team, staff, max(starts_at, now), ends_at):
            still.append(team)
    return {team.name or SHARED: rota_pages.address(team.key) for team in still}


def _tab(key: str, counts: Mapping[str, int]) -> str:
    number = counts.get(key)
    return f"{VIEWS[key]} {number}" if number else VIEWS[key]
