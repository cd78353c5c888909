"""The survey's address: GET shows and observes, only a person's POST answers.

Links: `/s/{token}` the survey, `?score=9` preselects, `?edit=1` opens a given answer again, `/s/{token}/trap`
is hidden in mails and opened by machines alone, `/s/{token}/contact` takes the wish of who came too late,
`/s/{token}/brand-1f5eff.css` is the page's own style sheet, by which browsers are known. Whoever comes by a
shared link (`open_link.py`) has such a link too; its token names both.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.collector import metrics
from services.collector.domain.agents import HAND, agent_on_page
from services.collector.domain.amend import Door
from services.collector.domain.answers import Problem
from services.collector.domain.mood import primary_of
from services.collector.domain.verdict import Sent, Sighting
from services.collector.handlers.answering import (
    Answering,
    Refused,
    Stored,
    Submission,
    Unknown,
    Unreadable,
)
from services.collector.handlers.guards import Guards
from services.collector.handlers.sharing import Sharing
from services.collector.handlers.visits import TooEarly, Visit, Visitor, Visits
from services.collector.pages import views
from services.collector.pages.fields import DRAFT, HONEYPOT, PREFIX, WHO, Typed, given_of, parse, typed_of
from services.collector.pages.frame import brand_style, static_file
from shared.contracts.forms import SCALES
from shared.db.errors import RAISED, is_transient
from shared.runtime.clock import Clock
from shared.runtime.ids import random_id
from shared.security.tokens import Nonce, Tokens, Verified

MAX_BODY = 256 * 1024
NONCE_AGE = timedelta(hours=12)
LINK_BYTES = 16
"""What the token of somebody who came by a shared link carries besides: the link."""

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Caller:
    """A request whose link has a good signature."""

    request: Request
    survey_id: UUID
    path: str
    visitor: Visitor
    link: UUID | None = None
    """The shared link by which somebody came; `subject` is then their browser's survey, whoever it is."""

    subject: UUID | None = None

    @property
    def page(self) -> UUID:
        """What nonces are about."""
        return self.subject or self.survey_id


class SurveyPages:
    """Serves survey links."""

    def __init__(
        self,
        visits: Visits,
        answering: Answering,
        sharing: Sharing,
        tokens: Tokens,
        clock: Clock,
        guards: Guards,
    ) -> None:
        self._sharing = sharing
        self._visits = visits
        self._answering = answering
        self._tokens = tokens
        self._clock = clock
        self._guards = guards

    def router(self) -> APIRouter:
        """All routes; plain ones, since FastAPI would add nothing here but time."""
        router = APIRouter()
        router.add_route("/s/-/{name}", static_file, methods=["GET", "HEAD"])
        router.add_route("/s/{token}", self._guarded(self.show), methods=["GET", "HEAD"])
        router.add_route("/s/{token}", self._guarded(self.answer), methods=["POST"])
        router.add_route("/s/{token}/trap", self._guarded(self.trap), methods=["GET", "HEAD", "POST"])
        router.add_route("/s/{token}/{name}.css", self._guarded(self.style), methods=["GET"])
        router.add_route("/s/{token}/contact", self._guarded(self.contact), methods=["POST"])
        return router

    def _guarded(self, endpoint: Callable[[_Caller], Awaitable[Response]]) -> Endpoint:
        """Let only good links through, not too often, and say so when Postgres is away."""

        async def guarded(request: Request) -> Response:
            token = request.path_params["token"]
            verified = self._tokens.verify("answer", token)
            if verified is None:
                return views.unknown_link(request)
            address = request.client.host if request.client else ""
            wait = self._guards.wait(token, address)
            if wait:
                metrics.SUBMISSIONS.labels("limited").inc()
                return views.too_often(request, math.ceil(wait))
            visitor = self._visits.visitor(verified.subject, address, request.headers.get("user-agent", ""))
            try:
                return await endpoint(await self._caller(request, verified, visitor))
            except RAISED as error:
                if not is_transient(error):
                    raise
                return views.away(request)

        return guarded

    async def _caller(self, request: Request, verified: Verified, visitor: Visitor) -> _Caller:
        path = f"/s/{request.path_params['token']}"
        if len(verified.extra) != LINK_BYTES:
            return _Caller(request, verified.subject, path, visitor)
        survey_id = await self._sharing.standing(verified.subject)
        return _Caller(request, survey_id, path, visitor, UUID(bytes=verified.extra), verified.subject)

    async def show(self, caller: _Caller) -> Response:
        """The page of a link; opening it is observed and answers nothing."""
        request = caller.request
        kind = Sighting.HEAD if request.method == "HEAD" else Sighting.OPENED
        wanted = _score(request.query_params.get("score", ""))
        visit = await self._visits.visit(caller.survey_id, caller.visitor, kind, wanted, caller.link)
        if isinstance(visit, TooEarly):
            return views.too_early(request, visit)
        if visit.door is not Door.OPEN:
            return self._closed(caller, visit)
        answer = visit.row.answer
        typed = typed_of(visit)
        name = PREFIX + visit.form.primary
        said_so = wanted is None or typed.get(name) == [str(wanted)]
        if answer and answer.complete and said_so and "edit" not in request.query_params:
            return views.thanks(request, visit, self._state(caller, typed))
        if wanted is not None and _on_scale(visit, wanted):
            typed[name] = [str(wanted)]
        return views.survey(caller.request, visit, self._state(caller, typed))

    async def answer(self, caller: _Caller) -> Response:
        """Take an answer from the page."""
        typed = await _typed(caller.request)
        if typed is None:
            return views.too_large(caller.request)
        try:
            with metrics.ANSWER_SECONDS.time():
                return await (self._keep if DRAFT in typed else self._take)(caller, typed)
        except RAISED as error:
            if not is_transient(error):
                raise
            metrics.SUBMISSIONS.labels("unavailable").inc()
            return views.not_saved(caller.request, caller.path, typed)

    async def _take(self, caller: _Caller, typed: Typed) -> Response:
        nonce = self._nonce(caller, typed)
        if nonce is None:
            seen = Sighting.UNSIGNED if "nonce" not in typed else Sighting.STALE
            return await self._again(caller, typed, {}, seen)
        caller, wrong = await self._admitted(caller, typed)
        outcome = await self._answering.answer(self._submission(caller, typed, nonce))
        match outcome:
            case Stored(problems=problems) | Unreadable(problems=problems) if wrong:
                return await self._again(caller, typed, {**problems, **wrong})
            case Stored(complete=True):
                return RedirectResponse(views.thanks_path(caller.path, typed), 303)
            case Stored(problems=problems):
                return await self._again(caller, typed, problems, kept=True)
            case Unreadable(problems=problems):
                return await self._again(caller, typed, problems)
            case Refused() | Unknown():
                return await self._again(caller, typed, {})

    async def _admitted(self, caller: _Caller, typed: Typed) -> tuple[_Caller, dict[str, Problem]]:
        """Open the survey of somebody who came by a shared link, and hear who they are, if they say so.

        An answer is never lost to a slip in the address: it is stored, and the address asked for again.
        """
        if caller.link is None:
            return caller, {}
        language, address = _last(typed, "lang"), _last(typed, WHO).strip()
        await self._sharing.admit(caller.page, caller.link, language)
        if not address:
            return caller, {}
        try:
            own = await self._sharing.identify(caller.page, caller.link, address, language)
        except ValueError:
            return caller, {WHO: Problem.NOT_AN_ADDRESS}
        return replace(caller, survey_id=own), {}

    async def _keep(self, caller: _Caller, typed: Typed) -> Response:
        """Keep what was chosen so far, as the page's script sends it; 204, or nothing could be kept (R49)."""
        nonce = self._nonce(caller, typed)
        if nonce is None:
            return Response(status_code=409)
        if caller.link:
            await self._sharing.admit(caller.page, caller.link, _last(typed, "lang"))
        outcome = await self._answering.answer(self._submission(caller, typed, nonce, draft=True))
        return Response(status_code=204 if isinstance(outcome, Stored) else 422)

    def _submission(self, caller: _Caller, typed: Typed, nonce: Nonce, *, draft: bool = False) -> Submission:
        given = given_of(typed)
        sent = Sent(
            at=self._clock.now(),
            address=caller.visitor.address,
            rendered_at=nonce.at,
            agent=agent_on_page(caller.visitor.agent, "".join(typed.get(HAND, ()))),
            honeypot=bool("".join(typed.get(HONEYPOT, ()))),
            words=any(isinstance(value, str) and len(value.split()) > 1 for value in given.values()),
        )
        return Submission(caller.survey_id, given, sent, draft=draft)

    async def _again(
        self,
        caller: _Caller,
        typed: Typed,
        problems: dict[str, Problem],
        seen: Sighting = Sighting.OPENED,
        *,
        kept: bool = False,
    ) -> Response:
        """Show the page anew with all that was typed: something is missing, or the page was too old."""
        visit = await self._visits.visit(caller.survey_id, caller.visitor, seen, link=caller.link)
        if isinstance(visit, TooEarly):
            return views.not_saved(caller.request, caller.path, typed)
        if visit.door is not Door.OPEN:
            return self._closed(caller, visit)
        stale = seen is not Sighting.OPENED
        if stale:
            metrics.SUBMISSIONS.labels("stale").inc()
        state = self._state(caller, typed, problems, 409 if stale else 422)
        return views.survey(caller.request, visit, replace(state, kept=kept))

    async def trap(self, caller: _Caller) -> Response:
        """Nothing to see: the link is hidden, and whoever opens it is remembered."""
        await self._visits.visit(caller.survey_id, caller.visitor, Sighting.TRAP)
        return views.nothing_here(caller.request, caller.path)

    async def style(self, caller: _Caller) -> Response:
        """The brand's style sheet, loaded anew for each page: whoever shows a page loads it."""
        found = brand_style(caller.request.path_params["name"])
        if found.status_code == 200:  # noqa: PLR2004 - OK
            page = views.rendered_at_of(caller.request.query_params.get(views.PAGE, ""))
            await self._visits.styled(caller.survey_id, caller.visitor, page)
        return found

    async def contact(self, caller: _Caller) -> Response:
        """Somebody who came too late wants to be contacted."""
        typed = await _typed(caller.request)
        if typed is None:
            return views.too_large(caller.request)
        nonce = self._nonce(caller, typed)
        kind = Sighting.CONTACT_WANTED if nonce else Sighting.STALE
        visit = await self._visits.visit(caller.survey_id, caller.visitor, kind, link=caller.link)
        if isinstance(visit, TooEarly):
            return views.too_early(caller.request, visit)
        if visit.door is Door.OPEN:
            return RedirectResponse(caller.path, 303)
        if nonce is None or visit.door is Door.GONE:
            return self._closed(caller, visit)
        return views.contact_noted(caller.request, visit)

    def _closed(self, caller: _Caller, visit: Visit) -> Response:
        if visit.door is Door.GONE:
            return views.gone(caller.request, visit)
        return views.over(caller.request, visit, caller.path, self._new_nonce(caller.page, self._clock.now()))

    def _state(
        self,
        caller: _Caller,
        typed: Typed,
        problems: dict[str, Problem] | None = None,
        status: int = 200,
    ) -> views.PageState:
        """What a rendering is made of, with a nonce of its own."""
        now = self._clock.now()
        nonce = self._new_nonce(caller.page, now)
        return views.PageState(
            caller.path, nonce, now, typed, problems or {}, status, ask_who=caller.link is not None
        )

    def _new_nonce(self, survey_id: UUID, now: datetime) -> str:
        return self._tokens.sign_nonce(survey_id, now, random_id().bytes[:8])

    def _nonce(self, caller: _Caller, typed: Typed) -> Nonce | None:
        sent = typed.get("nonce") or [""]
        return self._tokens.verify_nonce(caller.page, sent[0], self._clock.now(), NONCE_AGE)


async def _typed(request: Request) -> dict[str, list[str]] | None:
    """The fields of a posted form; None when it is larger than a person can have typed."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    try:
        return parse(bytes(body))
    except ValueError:
        return None


def _last(typed: Typed, name: str) -> str:
    return (typed.get(name) or [""])[-1]


def _score(text: str) -> int | None:
    """The score of a link; None for anything that is on no scale at all."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 2 and int(text) <= 10 else None  # noqa: PLR2004 - the widest scale


def _on_scale(visit: Visit, score: int) -> bool:
    lowest, highest = SCALES[primary_of(visit.form).type]
    return lowest <= score <= highest
