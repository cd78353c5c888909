"""`POST /v1/programmes/{key}/tests`: send a test of a programme to somebody."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel, ConfigDict, Field, field_validator

from services.trigger.domain.directory import reach_of
from services.trigger.domain.model import Reach
from services.trigger.domain.trials import ALSO, Like, Trial
from services.trigger.handlers.trials import NoTrialError, Sent, send_trial
from shared.contracts.model import Persona
from shared.runtime.ids import random_id
from shared.runtime.service import Platform
from shared.security.access import Principal, require_scope
from shared.web.paths import Key
from shared.web.problems import Problem

Writer = Annotated[Principal, Depends(require_scope("programmes:write"))]
Reference = Annotated[str, Header(alias="idempotency-key", max_length=200)]


class TestWanted(BaseModel):
    """Who gets a test, in which language and as which persona; `answer_like` tells what an answer brings."""

    __test__ = False
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    to: str = Field(max_length=320)
    name: str = Field(default="", max_length=200)
    locale: str = Field(default="en", max_length=35)
    persona: Persona | None = None
    answer_like: Like | None = None

    @field_validator("to")
    @classmethod
    def _reachable(cls, text: str) -> str:
        if reach_of(text)[0] is not Reach.OK:
            raise ValueError("this is not one e-mail address")
        return text

    @field_validator("answer_like", mode="before")
    @classmethod
    def _either_word(cls, text: object) -> object:
        return ALSO.get(text, text) if isinstance(text, str) else text


class ExpectedShown(BaseModel):
    """What an answer of the kind brings: its score, the questions asked, what follows."""

    score: int
    questions: tuple[str, ...]
    follows: tuple[str, ...]


class TestSent(BaseModel):
    """A test on its way; `link` is its page."""

    __test__ = False

    survey_id: str
    locale: str
    link: str
    expected: ExpectedShown | None


def router(platform: Platform) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/v1", tags=["operation"])

    @routes.post("/programmes/{key}/tests", status_code=202)
    async def test(key: Key, wanted: TestWanted, writer: Writer, reference: Reference = "") -> TestSent:
        """Send a test: the real mail and page, marked as a test, counted nowhere."""
        trial = Trial(
            email=wanted.to,
            name=wanted.name,
            locale=wanted.locale,
            persona=wanted.persona,
            like=wanted.answer_like,
            reference=reference or str(random_id()),
        )
        return TestSent.model_validate(await _sent(platform, key, trial, writer.actor), from_attributes=True)

    return routes


async def _sent(platform: Platform, key: str, trial: Trial, by: str) -> Sent:
    try:
        async with platform.db.begin() as tx:
            return await send_trial(tx, platform.sealer, platform.tokens, key, trial, by=by)
    except NoTrialError as error:
        raise Problem(409, f"{error}.", field="key") from error
