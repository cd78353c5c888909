"""Compare: two sides of one's own choice, and what can be said of the difference between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from services.scoring.domain.asking import FIRST_DAY, LAST_DAY, Span
from services.scoring.domain.contrast import Contrast, Told
from services.scoring.domain.rates import Rate
from services.scoring.domain.sides import PROGRAMME, Side
from services.scoring.domain.windows import Window
from services.scoring.handlers.comparing import PATH, Comparison, Days, Facing, compared, query_of
from services.scoring.handlers.seeing import may_see
from services.scoring.pages import views
from services.scoring.pages.filters import PERIODS
from services.scoring.store import queries, sides
from shared.contracts.model import Family
from shared.db.database import Database
from shared.runtime.clock import Clock
from shared.security.access import Role, User, require_role
from shared.security.roles import ROLE_SCOPES
from shared.web.templates import environment, page

HERE = Path(__file__).parent
Viewer = Annotated[User, Depends(require_role(Role.VIEWER))]

TO_CHOOSE = (
    "tier", "persona", "industry", "size", "region", "product", "service_type", "job_function", "channel",
    "locale", "touchpoint",
)  # fmt: skip
"""Dimensions whose values stand in the form; an address may name others, too."""

OWNER = "owner"
"""An account manager is a person: for reps."""

CUTS = 2
"""Choices of a cut that the form begins with."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One score on both sides, with its pictures and, for reps, the way to the answers of each."""

    of: Contrast
    picture: Markup
    groups: tuple[Markup, Markup]
    answers: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Section:
    """The scores of one kind of survey; with how many answered, None where that is not kept."""

    family: str
    rates: tuple[Rate | None, Rate | None]
    scores: Sequence[Shown]


def compare_pages(db: Database, clock: Clock) -> APIRouter:
    """The page."""
    router = APIRouter(include_in_schema=False)
    env = environment(HERE, HERE / "locales")

    @router.get(PATH)
    async def compare(request: Request, user: Viewer, facing: Annotated[Facing, Query()]) -> HTMLResponse:
        """Both sides, and a form to choose others."""
        rep = user.role.includes(Role.REP)
        speech = views.speech_of(request, user, env)
        locale = speech.locale
        today = clock.now().date()
        a, b = facing.sides(today)
        async with db.read() as conn:
            await may_see(conn, a.dimensions | b.dimensions, ROLE_SCOPES[user.role], field="where")
        found, known, titles = await db.at_once(
            lambda conn: compared(conn, a, b, facing.family.value if facing.family else None),
            lambda conn: sides.values(conn, today, (*TO_CHOOSE, OWNER) if rep else TO_CHOOSE),
            queries.titles,
        )
        content: dict[str, Any] = {
            "facing": facing,
            "found": found,
            "sections": list(_sections(found, speech, rep=rep)),
            "may_see_accounts": rep,
            "open": not request.url.query,
            "quick": _quick(facing, a),
            "known": known,
            "cuts": CUTS,
            "programmes": sorted(titles),
            "periods": PERIODS,
            "days": list(Days),
            "families": list(Family),
            "day": speech.day,
            "span_of": speech.span,
            "programme_page": _programme_page,
            "title_of": lambda key: views.title_of(titles, key, locale),
        }
        return page(request, env, "compare.html", content, locale=locale)

    return router


def _quick(facing: Facing, a: Side) -> Mapping[str, str]:
    """Addresses of usual comparisons, by name, of what is on the first side now."""
    alike: dict[str, object] = {
        "family": facing.family.value if facing.family else "",
        "a.programme": facing.a_programme, "a.where": facing.a_where,
        "b.programme": facing.a_programme, "b.where": facing.a_where,
    }  # fmt: skip
    spans = {
        "quarter": {"a.period": Window.QUARTER.value, "b.period": Days.BEFORE.value},
        "year": {"a.period": Window.QUARTER.value, "b.period": Days.YEAR_BEFORE.value},
        "days": {"a.period": Window.DAYS_90.value, "b.period": Days.BEFORE.value},
    }
    found = {"others": ""} | {name: f"{PATH}?{query_of({**alike, **span})}" for name, span in spans.items()}
    if a.cut:
        rest: dict[str, object] = {"b.programme": "", "b.where": [], "b.others": True}
        days: dict[str, object] = {"b.period": Days.SAME.value, "b.from": "", "b.to": "", "around": ""}
        found["others"] = facing.address(changes={**rest, **days})
    return found


def _sections(found: Comparison, speech: views.Speech, *, rep: bool) -> Iterator[Section]:
    reads = (found.a, found.b)
    for family, contrasts in groupby(found.contrasts, key=lambda one: one.family):
        rates = tuple(read.rates.get(family, _NOBODY) if read.rates is not None else None for read in reads)
        scores = [
            Shown(
                one, ranges(one, speech),
                (_groups(one.a, speech), _groups(one.b, speech)),
                (_answers(found.a.side, one), _answers(found.b.side, one)) if rep else ("", ""),
            )
            for one in contrasts
        ]  # fmt: skip
        yield Section(family, (rates[0], rates[1]), scores)


_NOBODY = Rate(0, 0, None, None, None)


def ranges(one: Contrast, speech: views.Speech) -> Markup:
    """Both scores in their intervals; nothing where there is no number to be shown."""
    sides_of = [(name, side.score) for name, side in (("A", one.a), ("B", one.b)) if not side.held]
    return views.ranges(one.metric, sides_of, speech) if sides_of else Markup("")


def _groups(side: Told, speech: views.Speech) -> Markup:
    return Markup("") if side.held else views.distribution(side.score, speech)


def _answers(side: Side, one: Contrast) -> str:
    """Where the answers behind a score of a side are."""
    where = [f"{name}:{value}" for name, value in side.cut if name != PROGRAMME]
    without = [f"{name}:{value}" for name, value in side.but]
    wanted: dict[str, object] = {
        "programme": side.programme, "where": where, "without": without, "family": one.family,
        "metric": one.metric.value,
    }  # fmt: skip
    return f"/scores/answers?{query_of({**wanted, **_days(side.span)})}"


def _days(span: Span) -> dict[str, str]:
    if span == Span():
        return {"period": Window.ALL.value}
    return {
        "from": span.first.isoformat() if span.first != FIRST_DAY else "",
        "to": span.last.isoformat() if span.last != LAST_DAY else "",
    }


def _programme_page(side: Side) -> str:
    """The page of the programme that a side is of, with its days."""
    return f"/scores?{query_of({'programme': side.programme} | _days(side.span))}"
