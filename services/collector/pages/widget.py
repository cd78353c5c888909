"""`/v1/widget/*`: what the script on a customer's page asks, from another origin, and how it is embedded."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable, Collection
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.collector.domain.texts import offered_languages, text_in
from services.collector.domain.widget import Fault, Signed
from services.collector.handlers.answering import Refused, Stored, Unreadable
from services.collector.handlers.visits import Visit
from services.collector.handlers.widget import Widget
from services.collector.pages import brand
from services.collector.pages.fields import kind_of, said_of
from services.collector.pages.frame import ENVIRONMENT, STATIC, chosen_language, complaint
from shared.contracts.forms import SCALES, Question, QuestionType
from shared.security.tokens import Tokens
from shared.web.i18n import babel_locale
from shared.web.templates import speaking

MAX_BODY = 64 * 1024
SCRIPT = STATIC["widget.js"]
INTEGRITY = "sha384-" + base64.b64encode(hashlib.sha384(SCRIPT.body).digest()).decode()

Endpoint = Callable[[Request, Signed], Awaitable[Response]]


class AnswerIn(msgspec.Struct, frozen=True):
    """The body of `POST /v1/widget/answers`."""

    survey: UUID
    answers: dict[str, Any]


_decode = msgspec.json.Decoder(AnswerIn).decode


class WidgetPages:
    """Serves the widget.

    Args:
        widget: What it can do.
        tokens: Sign the link to the whole page.
        origins: Of pages that may embed it, as `https://app.example`.
        public_url: Where the script is loaded from.
    """

    def __init__(self, widget: Widget, tokens: Tokens, origins: Collection[str], public_url: str) -> None:
        self._widget = widget
        self._tokens = tokens
        self._origins = frozenset(origins)
        self._public_url = public_url.rstrip("/")

    def router(self) -> APIRouter:
        """All routes."""
        router = APIRouter()
        router.add_route("/v1/widget/snippet", self.snippet, methods=["GET"])
        router.add_route("/v1/widget/pending", self._shared(self.pending), methods=["GET", "OPTIONS"])
        router.add_route("/v1/widget/answers", self._shared(self.answer), methods=["POST", "OPTIONS"])
        return router

    async def snippet(self, _: Request) -> Response:
        """How a page embeds the script of this version, with the hash that browsers check."""
        source = f"{self._public_url}/s/-/widget.js?v={SCRIPT.version}"
        html = (
            f'<script src="{source}" integrity="{INTEGRITY}" crossorigin="anonymous" defer '
            'data-token="TOKEN OF THE SIGNED-IN CONTACT"></script>'
        )
        return JSONResponse({"src": source, "integrity": INTEGRITY, "html": html})

    async def pending(self, request: Request, signed: Signed) -> Response:
        """The survey that waits for whoever is signed in; 204 when there is none.

        `link`, the last part of a shared link: that survey, unless they have answered it already.
        """
        wanted = request.query_params.get("link", "").rpartition("/")[2]
        known = self._tokens.verify("shared", wanted) if wanted else None
        if wanted and known is None:
            return _refusal(404, "link: no shared link of ours.")
        visit = await self._widget.pending(signed, known.subject if known else None)
        if visit is None:
            return Response(status_code=204)
        link = f"{self._public_url}/s/{self._tokens.sign('answer', visit.survey_id)}"
        return JSONResponse(_sheet(request, visit) | {"url": link})

    async def answer(self, request: Request, signed: Signed) -> Response:
        """Take the answer; 422 names the questions that need another look, in words."""
        body = await request.body()
        try:
            sent = _decode(body if len(body) <= MAX_BODY else b"")
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return _refusal(422, "The body is not as expected.")
        outcome = await self._widget.answer(signed, sent.survey, sent.answers)
        _ = speaking(ENVIRONMENT, chosen_language(request))["_"]
        match outcome:
            case Stored(mood=mood, problems=problems) if not problems:
                return JSONResponse({"mood": mood.value}, 201)
            case Stored(problems=problems) | Unreadable(problems=problems):
                wrong = {field: complaint(problem, _) for field, problem in problems.items()}
                return JSONResponse({"errors": wrong}, 422)
            case Refused():
                return _refusal(410, "The survey takes no answers any more.")
            case _:
                return _refusal(404, "No such survey waits for this contact.")

    def _shared(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        """Answer pages of the allowed origins, and only tokens that the customer's backend signed."""

        async def shared(request: Request) -> Response:
            if not self._widget.offered:
                return _refusal(404, "There is no widget: set AFTERWORD_COLLECTOR_WIDGET_SECRETS.")
            if request.method == "OPTIONS":
                response = Response(status_code=204)
            else:
                scheme, _, text = request.headers.get("authorization", "").partition(" ")
                token = self._widget.token(text if scheme.lower() == "bearer" else "")
                if isinstance(token, Fault):
                    response = _refusal(401, f"The token is not taken: {token.value}.")
                else:
                    response = await endpoint(request, token)
            return self._for(request, response)

        return shared

    def _for(self, request: Request, response: Response) -> Response:
        """What tells the browser that the page may read the answer."""
        origin = request.headers.get("origin", "")
        response.headers["Vary"] = "Origin"
        if origin in self._origins or urlsplit(origin).netloc == request.headers.get("host"):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Headers"] = "authorization, content-type"
            response.headers["Access-Control-Allow-Methods"] = "GET, POST"
            response.headers["Access-Control-Max-Age"] = "600"
        return response


def _refusal(status: int, detail: str) -> Response:
    return JSONResponse({"status": status, "detail": detail}, status, media_type="application/problem+json")


def _sheet(request: Request, visit: Visit) -> dict[str, Any]:
    """The questions in the reader's language, ready to be drawn, and the words around them."""
    language = chosen_language(request, visit.row.locale, offered=offered_languages(visit.form))
    _ = speaking(ENVIRONMENT, language)["_"]
    style = visit.organisation.brand.colour if visit.organisation else brand.DEFAULT_COLOUR
    colour = brand.colour_of(style)
    light = brand.readable(colour, brand.LIGHT, "#000000")
    dark = brand.readable(colour, brand.DARK, "#ffffff")
    return {
        "survey": str(visit.survey_id),
        "language": language,
        "direction": babel_locale(language).text_direction,
        "title": text_in(visit.form.title, language, visit.slots),
        "incentive": text_in(visit.row.incentive, language, visit.slots),
        "asker": visit.slots.get("organisation", ""),
        "test": visit.row.test,
        "questions": [_question(question, visit, language) for question in visit.form.questions],
        "colours": {
            "light": [light, brand.ink_on(light)],
            "dark": [dark, brand.ink_on(dark)],
        },
        "words": {
            "send": _("Send answer"),
            "later": _("Not now"),
            "close": _("Close"),
            "optional": _("optional"),
            "whole": _("Open as a page"),
            "failed": _("We could not save your answer just now. Please send it again in a moment."),
            "missing": _("Please answer this question."),
            "thanks": _("Thank you"),
            "unhappy": _(
                "We are sorry that this did not go as it should. A person reads every answer like yours."
            ),
            "passive": _("Your answer helps us to get better. What would have made it better still?"),
            "happy": _("We are glad to hear that, and pass it on to the people who did it."),
        },
    }


def _question(question: Question, visit: Visit, language: str) -> dict[str, Any]:
    def say(text: dict[str, str]) -> str:
        return text_in(text, language, visit.slots)

    lowest, highest = SCALES.get(question.type, (0, -1))
    return {
        "id": question.id,
        "kind": kind_of(question.type),
        "text": say(question.text),
        "optional": question.optional or question.type is QuestionType.CONSENT,
        "multiple": question.type in {QuestionType.MULTIPLE, QuestionType.BRAND},
        "values": list(range(lowest, highest + 1)),
        "names": [said_of(question, n, language, visit.slots) for n in range(lowest, highest + 1)],
        "low": "" if question.type is QuestionType.YES_NO else say(question.low_label),
        "high": "" if question.type is QuestionType.YES_NO else say(question.high_label),
        "items": [{"id": item.id, "text": say(item.text)} for item in question.items],
        "when": {name: bounds.model_dump(exclude_none=True) for name, bounds in question.when.items()},
    }
