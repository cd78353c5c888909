"""`/messages/rates`: what became of surveys as of now, with the rate against target and floor (R58)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from services.dispatch.domain.rates import FEW, LONGEST, SPAN, Thresholds, judged, total
from services.dispatch.pages.titles import titles
from services.dispatch.store import rates
from services.dispatch.store.rates import Cut
from shared.db.database import Database
from shared.security.access import Role, User, require_role
from shared.web.dates import zone_of
from shared.web.i18n import negotiate
from shared.web.templates import environment, page

ENVIRONMENT = environment(Path(__file__).parent / "desk")
PATH = "/messages/rates"
PERIODS = ("7", "30", "90", "365")
_USUAL = str(SPAN.days)
_DAY = timedelta(days=1)
Viewer = Annotated[User, Depends(require_role(Role.VIEWER))]


class Choice(BaseModel):
    """What the address of the page says; dates, both of them included, win over the days."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    by: Cut = Cut.PROGRAMME
    days: str = _USUAL
    first: str = Field(default="", alias="from", max_length=20)
    last: str = Field(default="", alias="to", max_length=20)

    def address(self, by: Cut) -> str:
        """This page with another cut; what is as usual is left out."""
        usual = {"by": Cut.PROGRAMME.value, "days": _USUAL, "from": "", "to": ""}
        chosen = {"by": by.value, "days": self.days, "from": self.first, "to": self.last}
        query = urlencode({name: text for name, text in chosen.items() if text != usual[name]})
        return f"{PATH}?{query}" if query else PATH


@dataclass(frozen=True, slots=True)
class Span:
    """The time that is shown; `wrong` says what was amiss with the dates, by field."""

    since: datetime
    until: datetime
    wrong: dict[str, str]


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
            # The end itself is no longer in the span.
            "last_day": span.until - timedelta(microseconds=1),
        }
        return page(request, ENVIRONMENT, "rates.html", context, status=422 if span.wrong else 200)

    return router


def span_of(choice: Choice, now: datetime, zone: ZoneInfo) -> Span:
    """The time to show, in the reader's days; the usual one beside what cannot be used."""
    usual = Span(now - timedelta(days=int(choice.days if choice.days in PERIODS else _USUAL)), now, {})
    if not choice.first and not choice.last:
        return usual
    wrong: dict[str, str] = {}
    today = now.astimezone(zone).date()
    last = _date(choice.last, "to", wrong) if choice.last else today
    first = _date(choice.first, "from", wrong) if choice.first else last - SPAN + _DAY
    if not wrong and first > min(last, today):
        wrong["from"] = "It must not lie behind the last day, nor in the future."
    elif not wrong and last - first >= LONGEST:
        wrong["from"] = f"{LONGEST.days} days at most."
    if wrong:
        return Span(usual.since, usual.until, wrong)
    return Span(datetime.combine(first, time.min, zone), datetime.combine(last + _DAY, time.min, zone), {})


def _date(text: str, field: str, wrong: dict[str, str]) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.max
    # The first and the last years of the calendar have no day before or behind them.
    if not date.min + LONGEST <= found <= date.max - LONGEST:
        wrong[field] = "Write a day as 2026-03-31."
        return date.max - LONGEST
    return found
