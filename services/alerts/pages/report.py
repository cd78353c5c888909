"""How unhappy customers are looked after: how quickly, what was late, was it mended (R72, R83)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from services.alerts.domain.care import FEW
from services.alerts.domain.routing import Staff
from services.alerts.handlers.reporting import NOBODY, NOBODY_KEY, SHARED, SHARED_KEY, Cut, report, whose
from services.alerts.pages.house import House, Rep, uuid_in
from services.alerts.store import reports, rota
from services.alerts.store.reports import Planned
from shared.web.dates import zone_of
from shared.web.spans import PERIODS, Days, span_of
from shared.web.templates import page

PATH = "/inbox/report"
TABLE = "/v1/tickets/report/table"
_CUTS = {Cut.TEAM: "By team", Cut.OWNER: "By owner"}
_PERIODS = [(days, f"Last {days} days") for days in PERIODS]


class Choice(Days):
    """What the address of the page says."""

    by: Cut = Cut.TEAM
    team: str = Field("", max_length=40)
    owner: str = Field("", max_length=40)

    def address(self, by: Cut) -> str:
        """This page with another cut; what is as usual is left out."""
        chosen = {"by": "" if by is Cut.TEAM else by.value, "team": self.team, "owner": self.owner}
        query = {name: text for name, text in chosen.items() if text} | self.unusual
        return f"{PATH}?{urlencode(query)}" if query else PATH


def add(routes: APIRouter, house: House) -> None:
    """Add the report's routes."""

    @routes.get(PATH)
    async def shown(request: Request, me: Rep, choice: Annotated[Choice, Query()]) -> Response:
        """The report of a span, of all or of some cases."""
        desk, now = house.desk, house.clock.now()
        span = span_of(choice, now, zone_of(me.zone))
        by = choice.by if choice.by in _CUTS else Cut.TEAM
        meant = whose(choice.team, uuid_in(choice.owner), nobody=choice.owner == NOBODY_KEY)
        async with house.db.snapshot() as conn:
            found = await report(desk, conn, (span.since, span.until), meant, now, (by,))
            staff = await rota.staff(conn, now, desk.leadership, desk.roster)
            mailed = await reports.newest(conn)
        filters = {
            "since": span.since.isoformat(), "until": span.until.isoformat(),
            "team": choice.team, "owner": choice.owner,
        }  # fmt: skip
        context = {
            "section": "inbox",
            "choice": choice,
            "span": span,
            "periods": _PERIODS,
            "teams": [("", "All teams"), *((t.key or SHARED_KEY, t.name or SHARED) for t in staff.teams)],
            "owners": [
                ("", "Everybody"), (NOBODY_KEY, NOBODY),
                *sorted(((str(m.user_id), m.name) for m in staff.members), key=lambda one: one[1]),
            ],
            "tabs": [(text, choice.address(cut)) for cut, text in _CUTS.items()],
            "current": choice.address(by),
            "by": by,
            "all": found[0],
            "lines": [line for line in found if line.cut is by],
            "table": f"{TABLE}?{urlencode({'format': 'csv'} | {k: v for k, v in filters.items() if v})}",
            "few": FEW,
            "mailed": [_mailed(one, staff) for one in mailed],
            "month": f"{mailed[0].month:%B %Y}" if mailed else "",
        }  # fmt: skip
        status = 422 if span.wrong else 200
        return page(request, house.env, "report.html", context, locale="en", status=status)

    @routes.get("/inbox/recovered")
    async def moved(_me: Rep) -> Response:
        """Where a part of the report stood before."""
        return RedirectResponse(PATH, 301)


_STATES = {
    "sent": ("Sent", "ok"),
    "failed": ("Could not be sent", "danger"),
    "pending": ("Is being sent", "neutral"),
}


@dataclass(frozen=True, slots=True)
class Mailed:
    """Who gets the report by mail, what became of it and, where it did not go, why."""

    name: str
    state: tuple[str, str]
    why: str


def _mailed(one: Planned, staff: Staff) -> Mailed:
    member = staff.by_id(one.recipient)
    why = one.detail if one.state != "sent" else ""
    if one.state == "failed" and member:
        why = f"{why} ({member.email})"
    return Mailed(member.name if member else "Somebody who has left", _STATES[one.state], why)
