"""`/messages/rates`: what became of surveys as of now, with the rate against target and floor (R58)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from services.dispatch.domain.rates import FEW, Thresholds, judged, total
from services.dispatch.pages.titles import titles
from services.dispatch.store import rates
from services.dispatch.store.rates import Cut
from shared.db.database import Database
from shared.security.access import Role, User, require_role
from shared.web.dates import zone_of
from shared.web.i18n import negotiate
from shared.web.spans import PERIODS, Days, span_of
from shared.web.templates import environment, page

ENVIRONMENT = environment(Path(__file__).parent / "desk")
PATH = "/messages/rates"
Viewer = Annotated[User, Depends(require_role(Role.VIEWER))]


class Choice(Days):
    """What the address of the page says."""

    by: Cut = Cut.PROGRAMME

    def address(self, by: Cut) -> str:
        """This page with another cut; what is as usual is left out."""
        chosen = ({"by": by.value} if by is not Cut.PROGRAMME else {}) | self.unusual
        return f"{PATH}?{urlencode(chosen)}" if chosen else PATH


def rate_pages(db: Database, thresholds: Thresholds) -> APIRouter:
    """The page."""
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def show(request: Request, user: Viewer, choice: Annotated[Choice, Query()]) -> Response:
        """Groups with their rates, those below the floor first."""
        span = span_of(choice, db.clock.now(), zone_of(user.zone))
        locale = negotiate(user.locale, request.headers.get("accept-language"))
        async with db.read() as conn:
            found = await rates.rates(conn, choice.by, span.since, span.until)
            called = await titles(conn, locale) if choice.by is Cut.PROGRAMME else {}
        groups = judged(found, thresholds)
        context = {
            "section": "programmes",
            "choice": choice,
            "cuts": [(cut.value, choice.address(cut)) for cut in Cut],
            "periods": PERIODS,
            "span": span,
            "groups": groups,
            "alarming": [one for one in groups if one.alarming],
            "all": judged([total(found)], thresholds)[0],
            "titles": called,
            "thresholds": thresholds,
            "few_below": FEW,
            "last_day": span.last_moment,
        }
        return page(request, ENVIRONMENT, "rates.html", context, status=422 if span.wrong else 200)

    return router
