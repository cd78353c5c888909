"""`/messages/rates/subjects`: which of several subjects more people answer, if that can be said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from services.dispatch.domain.model import read_texts
from services.dispatch.domain.rates import FEW
from services.dispatch.domain.subjects import Judged, judged
from services.dispatch.domain.text import pick
from services.dispatch.pages.titles import title_of
from services.dispatch.store import subjects, views
from services.dispatch.store.rates import Cut
from services.dispatch.store.views import Worded
from shared.db.database import Database
from shared.security.access import Role, User, require_role
from shared.web.dates import zone_of
from shared.web.i18n import negotiate
from shared.web.spans import PERIODS, Days, span_of
from shared.web.templates import environment, page

ENVIRONMENT = environment(Path(__file__).parent / "desk")
PATH = "/messages/rates/subjects"
Viewer = Annotated[User, Depends(require_role(Role.VIEWER))]


def subject_pages(db: Database) -> APIRouter:
    """The page."""
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def show(request: Request, user: Viewer, choice: Annotated[Days, Query()]) -> Response:
        """Programmes that try several subjects, with what became of each."""
        span = span_of(choice, db.clock.now(), zone_of(user.zone))
        locale = negotiate(user.locale, request.headers.get("accept-language"))
        async with db.read() as conn:
            found = await subjects.sums(conn, span.since, span.until)
            known = {one.programme: one for one in await views.worded(conn)}
        context = {
            "section": "programmes",
            "choice": choice,
            "cuts": [(cut.value, _cut(cut, choice)) for cut in Cut],
            "periods": PERIODS,
            "span": span,
            "last_day": span.last_moment,
            "programmes": [
                _shown(key, judged(lines), known.get(key), locale) for key, lines in found.items()
            ],
            "few_below": FEW,
        }
        return page(request, ENVIRONMENT, "subjects.html", context, status=422 if span.wrong else 200)

    return router


def _cut(cut: Cut, choice: Days) -> str:
    """The page of rates by something else, of the same days."""
    chosen = ({"by": cut.value} if cut is not Cut.PROGRAMME else {}) | choice.unusual
    return f"/messages/rates?{urlencode(chosen)}" if chosen else "/messages/rates"


def _shown(key: str, lines: list[Judged], known: Worded | None, locale: str) -> dict[str, Any]:
    texts = _texts(known, locale) if known else {}
    return {
        "key": key,
        "title": title_of(known, locale) if known else key,
        "verdict": _verdict(lines),
        "lines": [
            {
                "id": one.sums.line,
                "text": texts.get(one.sums.line, ""),
                "sums": one.sums,
                "around": one.sums.around(),
                "verdict": one.verdict.value,
            }
            for one in lines
        ],
    }


def _texts(known: Worded, locale: str) -> Mapping[str, str]:
    """What the lines say that the programme has now, in the reader's language."""
    return {line.id: pick(line.text, locale) for line in read_texts(known.texts)[1].subjects}


def _verdict(lines: list[Judged]) -> tuple[str, str]:
    """What can be said of all lines together, and of which one."""
    for word in ("ahead", "behind"):
        named = [one.sums.line for one in lines if one.verdict == word]
        if named:
            return word, ", ".join(named)
    return "nothing_yet", ""
