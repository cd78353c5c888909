"""`/scores/badges`: which scores everybody may see, with whose words; published and taken back here (R84)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import escape

from services.scoring.domain.asking import ask
from services.scoring.domain.badges import (
    LABEL_CHARS,
    LEAST,
    MOST_LEAST,
    USUAL_LEAST,
    Badge,
    Period,
    Wanted,
    Why,
)
from services.scoring.domain.histogram import Metric
from services.scoring.domain.windows import span_of
from services.scoring.handlers import badges, quoting
from services.scoring.handlers.badges import NotPublishedError
from services.scoring.handlers.comments import Library, words
from services.scoring.pages import badge as embed
from services.scoring.pages import views
from services.scoring.store import badges as store
from services.scoring.store import queries
from shared.db.database import Connection, Database
from shared.runtime.clock import Clock
from shared.runtime.ids import random_id
from shared.security.access import Principal, Role, User, access_of, require_role
from shared.web.forms import text_fields
from shared.web.problems import Problem
from shared.web.templates import environment, page

HERE = Path(__file__).parent
Manager = Annotated[User, Depends(require_role(Role.MANAGER))]
_SEPARATOR = " "


def operator_pages(db: Database, clock: Clock, library: Library, public_url: str) -> APIRouter:
    """The pages, for managers."""
    return _Pages(db, clock, library, public_url.rstrip("/")).router()


class _Pages:
    def __init__(self, db: Database, clock: Clock, library: Library, public_url: str) -> None:
        self._db = db
        self._clock = clock
        self._library = library
        self._url = public_url
        self._env = environment(HERE, HERE / "locales")

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/scores/badges", include_in_schema=False)
        self._reading(router)
        self._publishing(router)
        self._choosing(router)
        return router

    def _reading(self, router: APIRouter) -> None:
        @router.get("")
        async def listed(request: Request, user: Manager) -> Response:
            """All badges, and the form of a new one."""
            return await self._list(request, user, {})

        @router.get("/{badge}")
        async def one(request: Request, badge: UUID, user: Manager, done: str = "") -> Response:
            """One badge as everybody sees it, how to embed it, and the words that may stand beside it."""
            speech = self._speech(request, user)
            async with self._db.read() as conn:
                found = await _found(conn, badge)
                context = await self._one(conn, found, speech)
                titles = await queries.titles(conn)
            context |= self._shared(titles, await _names(request), speech) | {"done": done}
            return page(request, self._env, "badge_detail.html", context, locale=speech.locale)

    def _publishing(self, router: APIRouter) -> None:
        @router.post("")
        async def publish(request: Request, user: Manager) -> Response:
            """Publish a score."""
            fields = await text_fields(request)
            try:
                wanted = _wanted(fields)
                async with self._db.begin() as tx:
                    made = await badges.publish(tx, random_id(), wanted, by=_actor(user))
            except NotPublishedError as error:
                return await self._list(request, user, {"refused": error.field, "typed": fields}, status=422)
            return RedirectResponse(f"/scores/badges/{made.id}?done=published", 303)

        @router.post("/{badge}/taken-back")
        async def take_back(request: Request, badge: UUID, user: Manager) -> Response:
            """Take a badge back for good."""
            reason = (await text_fields(request)).get("reason", "")
            if reason not in set(Why):
                raise Problem(422, "Say why.", what_to_do="Go back and choose a reason.", field="reason")
            async with self._db.begin() as tx:
                if await badges.take_back(tx, badge, Why(reason), by=_actor(user)) is None:
                    raise _unknown()
            return RedirectResponse(f"/scores/badges/{badge}?done=taken_back", 303)

    def _choosing(self, router: APIRouter) -> None:
        @router.post("/{badge}/quotes/{response}")
        async def quote(request: Request, badge: UUID, response: UUID, user: Manager) -> Response:
            """Publish the words of an answer, or no longer; or note that their writer took them back."""
            act = (await text_fields(request)).get("act", "")
            async with self._db.begin() as tx:
                found = await _found(tx.conn, badge)
                done = act
                if act == "choose" and not await badges.choose(tx, found, response, by=_actor(user)):
                    done = "not_now"
                elif act == "leave_out":
                    await badges.leave_out(tx, found, response, by=_actor(user))
                elif act == "unquote":
                    await quoting.unquote(tx, response, by=_actor(user))
            return RedirectResponse(f"/scores/badges/{badge}?done={done}#quotes", 303)

    async def _list(
        self, request: Request, user: User, typed: Mapping[str, Any], status: int = 200
    ) -> Response:
        speech = self._speech(request, user)
        span = span_of(Period.DAYS_365.window, self._clock.now().date())
        async with self._db.read() as conn:
            found = await store.listed(conn)
            scored = await queries.scores(conn, ask(span=span))
            titles = await queries.titles(conn)
        context: dict[str, Any] = {
            "badges": found,
            "scored": [(f"{one.histogram.metric}{_SEPARATOR}{one.value}", one) for one in scored],
            "periods": list(Period),
            "usual": USUAL_LEAST,
            "fewest": LEAST,
            "most": MOST_LEAST,
            "longest": LABEL_CHARS,
            "refused": "",
            "typed": {},
            **self._shared(titles, await _names(request), speech),
            **typed,
        }
        return page(request, self._env, "badges.html", context, locale=speech.locale, status=status)

    async def _one(self, conn: Connection, badge: Badge, speech: views.Speech) -> dict[str, Any]:
        today = self._clock.now().date()
        shown = await badges.public(conn, self._library, badge, today)
        offered = await store.offered(conn, badge, shown.span) if badge.stands else []
        said = await words(self._library.sealer, conn, [(one.contact_id, one.words) for one in offered])
        address = f"{self._url}/badges/{badge.key}"
        label = f'title="{escape(badge.wanted.label)}"'
        return {
            "badge": badge,
            "shown": shown,
            "told": embed.told(shown, shown.score, speech) if shown.score else None,
            "offered": [(one, text) for one, text in zip(offered, said, strict=True) if text],
            "address": address,
            "frame": f'<iframe src="{address}" {label} width="544" height="{_height(len(shown.quotes))}"'
            ' frameborder="0" loading="lazy"></iframe>',
            "picture": f'<img src="{address}.svg" alt="{escape(badge.wanted.label)}" width="360">',
            "reasons": list(Why),
        }

    def _shared(
        self, titles: Mapping[str, Mapping[str, str]], names: Mapping[str, str], speech: views.Speech
    ) -> dict[str, Any]:
        def title(key: str) -> str:
            return views.title_of(titles, key, speech.locale)

        return {
            "may_see_accounts": True,
            "title_of": title,
            # Who is no person of the house (the command line) is told as it stands; ids say nothing.
            "who": lambda actor: names.get(actor, "" if ":" in actor else actor),
            "day": speech.day,
        }

    def _speech(self, request: Request, user: User) -> views.Speech:
        return views.speech_of(request, user, self._env)


def _height(quotes: int) -> int:
    """Of a frame that holds so many usual quotes without being scrolled; longer ones are scrolled."""
    return 340 + (100 + 110 * quotes if quotes else 0)


def _wanted(fields: Mapping[str, str]) -> Wanted:
    """The badge of a form.

    Raises:
        NotPublishedError: a field says nothing that can be.
    """
    metric, _, programme = fields.get("score", "").partition(_SEPARATOR)
    period, least = fields.get("period", ""), fields.get("least", "")
    if metric not in set(Metric) or not programme or not programme.isprintable():
        raise NotPublishedError("score", "choose a score")
    if period not in set(Period):
        raise NotPublishedError("period", "choose the days")
    if not (least.isascii() and least.isdigit() and len(least) <= len(str(MOST_LEAST))):
        raise NotPublishedError("least", f"a badge needs at least {LEAST} to {MOST_LEAST} answers")
    label = fields.get("label", "").strip()
    return Wanted(label, programme, Metric(metric), Period(period), int(least))


async def _found(conn: Connection, badge: UUID) -> Badge:
    found = await store.one(conn, badge)
    if found is None:
        raise _unknown()
    return found


async def _names(request: Request) -> Mapping[str, str]:
    """Names of people by how records know them."""
    return {f"user:{one.id}": one.name for one in await access_of(request).list_users()}


def _actor(user: User) -> str:
    return Principal.of_user(user).actor


def _unknown() -> Problem:
    return Problem(404, "There is no such badge.", what_to_do="Go back to the published scores.")
