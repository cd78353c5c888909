"""`POST /v1/responses` in the description: it is served before the framework, which would not know of it."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override

from shared.contracts.responses import Mood


class AnswerGiven(BaseModel):
    """Answers by question; the same key twice is one answer."""

    token: str = Field(description="Of the person's link.")
    answers: dict[str, bool | int | str | list[str] | dict[str, int]] = Field(
        description="By the ids of the survey's questions."
    )
    idempotency_key: str | None = Field(default=None, min_length=1, max_length=200)


class Unfit(BaseModel):
    """A part that could not be read; the rest is stored."""

    field: str
    code: str
    reason: str


class AnswerTaken(BaseModel):
    """What was stored."""

    version: int
    mood: Mood
    complete: bool
    errors: list[Unfit]


class _Handed(Response):
    """A response that another application makes."""

    def __init__(self, by: ASGIApp) -> None:
        super().__init__()
        self._by = by

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._by(scope, receive, send)


def described(api: ASGIApp) -> APIRouter:
    """The route; what gets past the hot path is served by the same application."""
    router = APIRouter(tags=["responses"])

    @router.post(
        "/v1/responses",
        status_code=201,
        response_model=AnswerTaken,
        responses={
            200: {"model": AnswerTaken, "description": "Known already; nothing was added."},
            202: {"model": AnswerTaken, "description": "Stored as far as it could be read."},
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": AnswerGiven.model_json_schema()}},
            }
        },
    )
    async def answer() -> Response:
        """Store a person's answers; answered when they are durable."""
        return _Handed(api)

    return router
