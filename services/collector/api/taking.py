"""Answers from a company's own front ends.

`POST /v1/responses` is the hot path of the whole product: plain ASGI, one shared commit for all who come at
the same time, acknowledged after the commit only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import msgspec
from starlette.datastructures import MutableHeaders
from starlette.types import Receive, Scope, Send

from services.collector import metrics
from services.collector.domain.answers import Problem
from services.collector.domain.verdict import Sent
from services.collector.handlers.answering import (
    Answering,
    Outcome,
    Refused,
    Stored,
    Submission,
    Unknown,
    Unreadable,
)
from services.collector.handlers.guards import Guards
from services.collector.handlers.visits import Visits
from shared.errors import Unavailable
from shared.runtime.clock import Clock
from shared.security.tokens import Tokens
from shared.web.security_headers import set_security_headers

MAX_BODY = 256 * 1024
MAX_WAITING = 5000
"""Answers in line for the next commit; more are sent away, since they would only time out."""


class AnswerIn(msgspec.Struct, frozen=True):
    """The body of `POST /v1/responses`."""

    token: str
    answers: dict[str, Any]
    idempotency_key: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None


_decode = msgspec.json.Decoder(AnswerIn).decode
_encode = msgspec.json.Encoder().encode

_WORDS: Mapping[Problem, str] = {
    Problem.MISSING: "this question needs an answer",
    Problem.NOT_ON_SCALE: "a whole number on the question's scale is needed",
    Problem.NOT_AN_OPTION: "only ids of the question's items are possible",
    Problem.NOT_A_TEXT: "a text is needed",
    Problem.TOO_LONG: "at most 4,000 characters are possible",
    Problem.NOT_AN_ADDRESS: "an e-mail address is needed",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body and further headers of an answer to a request."""

    status: int
    body: bytes
    kind: bytes = b"application/json"
    retry_after: int = 0


class ResponsesApi:
    """Takes answers as JSON: 201 stored, 200 known already, 202 stored as far as it could be read.

    An ASGI application of its own: what a framework does for a request costs more than the answer itself.
    """

    def __init__(
        self,
        answering: Answering,
        visits: Visits,
        tokens: Tokens,
        clock: Clock,
        guards: Guards,
        *,
        https: bool = False,
    ) -> None:
        fixed = MutableHeaders()
        set_security_headers(fixed, https=https)
        self._fixed = fixed.raw
        self._answering = answering
        self._visits = visits
        self._tokens = tokens
        self._clock = clock
        self._guards = guards

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        with metrics.ANSWER_SECONDS.time():
            reply = await self._reply(scope, receive)
        headers = [(b"content-type", reply.kind), (b"content-length", b"%d" % len(reply.body)), *self._fixed]
        if reply.retry_after:
            headers.append((b"retry-after", b"%d" % reply.retry_after))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        try:
            sent = _decode(await _body(receive))
        except _TooLargeError:
            return _refusal(413, "The answer is larger than 256 KiB.")
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return _refusal(422, f"The body is not as expected: {error}")
        verified = self._tokens.verify("answer", sent.token)
        if verified is None:
            return _refusal(404, "token: no survey link of ours.")
        if self._answering.depth > MAX_WAITING:
            return _refusal(503, "Too many answers at once.", 1)
        wait = self._guards.wait(sent.token, "")
        if wait:
            metrics.SUBMISSIONS.labels("limited").inc()
            return _refusal(429, "Too many answers for this link.", math.ceil(wait))
        return await self._take(scope, verified.subject, sent)

    async def _take(self, scope: Scope, survey_id: UUID, sent: AnswerIn) -> Reply:
        client = scope.get("client")
        visitor = self._visits.visitor(survey_id, client[0] if client else "", _agent(scope))
        how = Sent(self._clock.now(), visitor.address, None, visitor.agent)
        submission = Submission(survey_id, sent.answers, how, sent.idempotency_key)
        try:
            outcome = await self._answering.answer(submission)
        except Unavailable:
            metrics.SUBMISSIONS.labels("unavailable").inc()
            return _refusal(503, "The answer could not be stored in time.", 5)
        return _told(outcome)


class _TooLargeError(Exception):
    """More than an answer can be."""


async def _body(receive: Receive) -> bytes:
    """The whole body, as long as it is not larger than an answer can be."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise _TooLargeError
        if not message.get("more_body", False):
            return bytes(body)


def _agent(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"user-agent"), "")


def _told(outcome: Outcome) -> Reply:
    match outcome:
        case Stored():
            status = 200 if outcome.repeated else 201 if outcome.complete else 202
            body = {
                "version": outcome.version,
                "mood": outcome.mood,
                "complete": outcome.complete,
                "errors": _errors(outcome.problems),
            }
            return Reply(status, _encode(body))
        case Unreadable():
            return _refusal(422, "The answers do not fit the survey.", errors=_errors(outcome.problems))
        case Refused():
            return _refusal(410, "The survey takes no answers any more.")
        case Unknown():
            return _refusal(503, "The survey has not arrived here yet.", 5)


def _errors(problems: Mapping[str, Problem]) -> list[dict[str, str]]:
    return [
        {"field": f"answers.{field}", "code": problem.value, "reason": _WORDS[problem]}
        for field, problem in problems.items()
    ]


def _refusal(
    status: int, detail: str, retry_after: int = 0, errors: list[dict[str, str]] | None = None
) -> Reply:
    """A "no" by RFC 9457."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    return Reply(status, _encode(body), b"application/problem+json", retry_after)
