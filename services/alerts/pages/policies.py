"""Escalation policies in words: who is told of a case, when, and who instead (R72). Set in `alerts.yaml`."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.alerts.domain import policies, words
from services.alerts.domain.gap_words import SHARED
from services.alerts.domain.ways import PATIENCE
from services.alerts.pages.house import House, Rep
from services.alerts.store import rota
from shared.web.templates import page

_WAYS = {"email": "e-mail", "sms": "text message"}


def add(routes: APIRouter, house: House) -> None:
    """Add the page's route."""

    @routes.get("/rota/policies")
    async def shown(request: Request, _me: Rep, team: str = "") -> Response:
        """The steps of one team."""
        desk, now = house.desk, house.clock.now()
        async with house.db.read() as conn:
            staff = await rota.staff(conn, now, desk.leadership, desk.roster)
        chosen = next((one for one in staff.teams if one.key == team), staff.team())
        context = {
            "section": "inbox",
            "team": chosen,
            "name": chosen.name or SHARED,
            "tabs": [(one.name or SHARED, f"/rota/policies?team={one.key}") for one in staff.teams],
            "current": f"/rota/policies?team={chosen.key}",
            "steps": policies.steps(chosen, staff, desk.rooms.of(chosen.key)),
            "untaken": policies.untaken(chosen, staff, desk.rooms.of(chosen.key), now),
            "untaken_rules": policies.rules_of(chosen, staff),
            "instead": policies.instead(chosen, staff, now),
            "routes": policies.routes(chosen, desk.roster.routes),
            "quiet": desk.roster.quiet_hours,
            "ways": [_WAYS[way] for way in desk.ways],
            "patience": words.span(PATIENCE),
            "page_every": words.span(desk.page_every) if desk.page_every else "",
        }
        return page(request, house.env, "policies.html", context, locale="en")
