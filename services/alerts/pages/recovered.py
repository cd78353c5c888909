"""Did we fix it? How resolved cases turned out, by team and by owner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.alerts.domain.outcomes import Outcomes, total
from services.alerts.pages.house import House, Rep
from services.alerts.store import outcomes, rota
from shared.web.templates import page

SPANS = {"30": "30 days", "90": "90 days", "365": "A year"}
_USUAL = "90"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table."""

    name: str
    counts: Outcomes


def add(routes: APIRouter, house: House) -> None:
    """Add the report's route."""

    @routes.get("/inbox/recovered")
    async def recovered(request: Request, _me: Rep, days: str = _USUAL) -> Response:
        """How cases turned out that were resolved lately."""
        chosen = days if days in SPANS else _USUAL
        now = house.clock.now()
        async with house.db.read() as conn:
            found = await outcomes.since(conn, now - timedelta(days=int(chosen)))
            names = await rota.names(conn)
            staff = await rota.staff(conn, now, house.desk.leadership, house.desk.roster)
        teams = {team.key: team.name for team in staff.teams if team.key}
        context = {
            "section": "inbox",
            "tabs": [(text, f"/inbox/recovered?days={key}") for key, text in SPANS.items()],
            "current": f"/inbox/recovered?days={chosen}",
            "all": total(found.values()),
            "teams": by(found, lambda key: teams.get(key[0], "The shared rota")),
            "owners": by(
                found, lambda key: names.get(key[1], "Somebody who has left") if key[1] else "Nobody"
            ),
        }
        return page(request, house.env, "recovered.html", context, locale="en")


def by(
    found: Mapping[tuple[str, UUID | None], Outcomes], name: Callable[[tuple[str, UUID | None]], str]
) -> list[Line]:
    """Lines by name, the most cases first."""
    sums: dict[str, Outcomes] = {}
    for key, counts in found.items():
        sums[name(key)] = sums.get(name(key), Outcomes()) + counts
    return [Line(*one) for one in sorted(sums.items(), key=lambda one: (-one[1].cases, one[0]))]
