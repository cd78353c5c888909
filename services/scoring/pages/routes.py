"""Routes of the score pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from services.scoring.domain.asked import named
from services.scoring.domain.health import WEIGHTS, Part
from services.scoring.domain.periods import Step
from services.scoring.domain.rollups import CONTEXT
from services.scoring.domain.splitting import KEPT, MOST_READ, OWNER, SPLITS
from services.scoring.handlers.seeing import may_see
from services.scoring.pages import views
from services.scoring.pages.accounts import account_pages
from services.scoring.pages.detail import MOST_HAPPENED, MOST_PARTS, Detail, chosen_split, detail
from services.scoring.pages.detail import Part as Scored
from services.scoring.pages.filters import PERIODS, Filters, known_programme
from services.scoring.pages.overview import MOST_MARKED, Spans, in_short, overview
from services.scoring.store import drivers, queries, voices
from shared.contracts.model import Family
from shared.db.database import Database
from shared.db.notify import place_now
from shared.runtime.clock import Clock
from shared.security.access import Role, User, require_role
from shared.security.roles import ROLE_SCOPES
from shared.web.routing import join
from shared.web.security_headers import allow_script
from shared.web.streams import live
from shared.web.templates import environment, page

HERE = Path(__file__).parent
STREAM, CHANGED = "/v1/scores/stream", "score.changed"
PROGRAMME_GAP_SECONDS = 15
"""Between two askings for the page of a programme, which reads answers and not sums alone."""
Viewer = Annotated[User, Depends(require_role(Role.VIEWER))]


def pages(
    db: Database, clock: Clock, thresholds: views.Thresholds, weights: Mapping[Part, float] = WEIGHTS
) -> APIRouter:
    """The score pages; thresholds are those of response rates (R58), weights those of health (R7)."""
    router = APIRouter(include_in_schema=False)
    env = environment(HERE, HERE / "locales")
    join(router, account_pages(env, db, clock, weights))

    @router.get("/scores")
    async def scores(request: Request, user: Viewer, filters: Annotated[Filters, Query()]) -> HTMLResponse:
        """All programmes, or the one that the address names."""
        speech = views.speech_of(request, user, env)
        locale = speech.locale
        today = clock.now().date()
        spans = Spans(filters.span(today), filters.before(today), today)
        span = spans.now
        split = chosen_split(filters)
        async with db.read() as conn:
            await may_see(conn, (split,), ROLE_SCOPES[user.role], field="split")
            place = await place_now(conn)
            titles = await queries.titles(conn)
        shared = _shared(filters, thresholds, lambda key: views.title_of(titles, key, locale))
        shared["span"] = speech.span(span)
        shared["day"] = speech.day
        shared["before"] = speech.span(spans.before) if spans.before else ""
        shared["may_see_accounts"] = user.role.includes(Role.REP)
        if not filters.programme:
            seen = await overview(
                db, filters, spans, speech, thresholds,
                # An account manager is a person: their figures are not every viewer's business.
                with_managers=user.role.includes(Role.REP),
            )  # fmt: skip
            content: dict[str, Any] = {
                "sections": seen.sections,
                "in_short": in_short(seen.sections),
                "rising": seen.rising,
                "churn": seen.churn,
                "managers": seen.managers,
                "most_happened": MOST_MARKED if seen.many_happened else 0,
                "live": live(STREAM, CHANGED, place),
            }
            return allow_script(page(request, env, "scores.html", shared | content, locale=locale))
        shown = await detail(db, filters, split, spans, speech, thresholds)
        if not (shown.parts or shown.rate.asked):
            async with db.read() as conn:
                await known_programme(conn, filters.programme)
        content = {
            "detail": shown,
            "bars": lambda part: views.bars(
                part.whole, speech, partial(_given, filters, part) if shared["may_see_accounts"] else None
            ),
            "attribute": (attribute := partial(_named, shown, locale)),
            "attribute_bar": lambda one: views.attribute_bar(one, attribute(one.attribute), speech),
            "split": split,
            "splits": _splits(shown, split, rep=shared["may_see_accounts"]),
            "most_parts": MOST_PARTS,
            "wait": speech.wait,
            "longest_wait": views.LONGEST_WAIT_YEARS,
            "most_split": MOST_READ,
            "behind": partial(_behind, filters, shown, split),
            "most_read": voices.NEWEST,
            "most_rated": drivers.NEWEST,
            "most_happened": MOST_HAPPENED,
            "week_end": lambda start: start + timedelta(days=6),
            "live": live(
                STREAM, CHANGED, place, about={"value": filters.programme}, gap=PROGRAMME_GAP_SECONDS
            ),
        }
        return allow_script(page(request, env, "programme.html", shared | content, locale=locale))

    return router


def _splits(shown: Detail, split: str, *, rep: bool) -> dict[str, list[str]]:
    """What answers can be broken down by, with attributes of the event that tell something."""
    choices = {of: [one for one in those if rep or one != OWNER] for of, those in SPLITS.items()}
    named = {f"{CONTEXT}{one.attribute}" for *_, effects in shown.moved.effects for one in effects}
    return choices | {"event": sorted(named | ({split} if split.startswith(CONTEXT) else set()))}


def _behind(filters: Filters, shown: Detail, split: str, part: Scored, value: str) -> str:
    """The answers of one part of a score."""
    of = {"split": split, "of": value} if split in KEPT else {"where": f"{split}:{value}"}
    days = {"period": "", "from": shown.since.isoformat(), "to": ""} if shown.since else {}
    if shown.since and filters.last:
        days["to"] = filters.last.isoformat()
    return filters.answers(metric=part.shown.metric.value, family=part.family, **of, **days)


def _given(filters: Filters, part: Scored, value: str) -> str:
    return filters.answers(metric=part.shown.metric.value, family=part.family, value=value)


def _named(shown: Detail, locale: str, name: str) -> str:
    return named(name, shown.moved.words, locale)


def _shared(filters: Filters, thresholds: views.Thresholds, title: Callable[[str], str]) -> dict[str, Any]:
    return {
        "filters": filters,
        "periods": PERIODS,
        "steps": list(Step),
        "families": list(Family),
        "thresholds": thresholds,
        "title_of": title,
    }
