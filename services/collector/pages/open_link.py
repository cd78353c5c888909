"""`/s/open/{token}`: a link without an invitation leads each browser to a survey of its own."""

from __future__ import annotations

import math
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.collector import metrics
from services.collector.handlers.guards import Guards
from services.collector.handlers.sharing import Sharing, visitor_survey
from services.collector.pages import views
from shared.db.errors import RAISED, is_transient
from shared.runtime.ids import random_id
from shared.security.tokens import Tokens

COOKIE = "afterword_visitor"
PATH = "/s/open"
KEPT = timedelta(days=400)
"""As long as browsers keep any cookie; a link is open for 366 days at most."""

_PASSED_ON = ("score", "lang")


class OpenLinks:
    """Tells browsers apart by a cookie that says nothing else; where it is refused, each visit is new."""

    def __init__(self, sharing: Sharing, tokens: Tokens, guards: Guards, *, https: bool) -> None:
        self._sharing = sharing
        self._tokens = tokens
        self._guards = guards
        self._https = https

    def router(self) -> APIRouter:
        """The route."""
        router = APIRouter()
        router.add_route(f"{PATH}/{{token}}", self.open, methods=["GET", "HEAD"])
        return router

    async def open(self, request: Request) -> Response:
        """Lead on to the survey of this browser; nothing is stored."""
        verified = self._tokens.verify("shared", request.path_params["token"])
        if verified is None:
            return views.unknown_shared_link(request)
        address = request.client.host if request.client else ""
        # Many people come by one link at once: only an address is held back.
        wait = self._guards.wait(f"{verified.subject} {address}", address)
        if wait:
            metrics.SUBMISSIONS.labels("limited").inc()
            return views.too_often(request, math.ceil(wait))
        try:
            known = await self._sharing.link(verified.subject)
        except RAISED as error:
            if not is_transient(error):
                raise
            return views.away(request)
        if known is None:
            return views.away(request)
        visitor = self._visitor(request)
        survey = visitor_survey(verified.subject, visitor)
        token = self._tokens.sign("answer", survey, verified.subject.bytes)
        keep = {name: request.query_params[name] for name in _PASSED_ON if name in request.query_params}
        response = RedirectResponse(f"/s/{token}?{urlencode(keep)}" if keep else f"/s/{token}", 303)
        response.headers["Cache-Control"] = "no-store"
        response.set_cookie(
            COOKIE,
            self._tokens.sign("visitor", visitor),
            max_age=int(KEPT.total_seconds()),
            path=PATH,
            secure=self._https,
            httponly=True,
            samesite="lax",
        )
        return response

    def _visitor(self, request: Request) -> UUID:
        """Who comes again, by a cookie of ours; anybody else is new."""
        known = self._tokens.verify("visitor", request.cookies.get(COOKIE, ""))
        return known.subject if known else random_id()
