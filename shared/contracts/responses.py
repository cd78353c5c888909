"""Answers of people, told apart from what machines did to the links."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from shared.contracts.forms import Permission, QuestionType
from shared.contracts.model import Instant, Part, Payload, Sealed, Snapshot
from shared.contracts.surveys import CloseTheLoop
from shared.contracts.topics import Topic


class Mood(StrEnum):
    """The category of an answer by its primary question (R1, R3, R4, R95)."""

    UNHAPPY = "unhappy"
    PASSIVE = "passive"
    HAPPY = "happy"


class Verdict(StrEnum):
    """Who made an answer, as far as the evidence says."""

    HUMAN = "human"
    MACHINE = "machine"
    UNCLEAR = "unclear"


class Score(Part):
    """One scored answer; `item` is set for a row of a matrix."""

    question: str
    type: QuestionType
    value: int
    item: str = ""


class Words(Part):
    """Free text of an answer, question id -> text; travels only sealed."""

    texts: dict[str, str] = Field(default_factory=dict)


class Response(Payload):
    """Fields of every response event. `version` rises with each amendment or verdict; the newest counts."""

    TOPIC: ClassVar[Topic] = Topic.RESPONSES
    AGGREGATE: ClassVar[str] = "response"

    response_id: str
    survey_id: str
    version: int
    snapshot: Snapshot
    at: Instant


class ResponseStarted(Response):
    """A person sent the first step of a survey but not yet all of it."""

    TYPE: ClassVar[str] = "response.started.v1"


class Answered(Response):
    """A whole answer. `received_at` is when this version came in, `first_at` when the first one did.

    `words` is a sealed `Words`; `choices` question id -> chosen option ids; `permissions` what their ticks
    allow, as the form that they saw had it; `permitted_at` when each of these was ticked: when the first of
    the versions came in that have had the tick without a break (empty in older events); `asked_at` when the
    invitation was handed over, if that is known; `incentive` that something was promised to whoever answers
    (R55).
    """

    received_at: Instant
    first_at: Instant
    asked_at: Instant | None = None
    primary: str
    mood: Mood
    low: int
    scores: tuple[Score, ...]
    choices: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    permissions: tuple[Permission, ...] = ()
    permitted_at: dict[Permission, Instant] = Field(default_factory=dict)
    words: Sealed = ""
    person: Sealed = ""
    verdict: Verdict = Verdict.HUMAN
    evidence: tuple[str, ...] = ()
    close_the_loop: CloseTheLoop = Field(default_factory=CloseTheLoop)
    incentive: bool = False

    @property
    def primary_score(self) -> Score:
        """The scored answer that decides the mood."""
        return next(s for s in self.scores if s.question == self.primary and not s.item)


class ResponseSubmitted(Answered):
    """A person answered; counts in scores and may open a ticket."""

    TYPE: ClassVar[str] = "response.submitted.v1"


class ResponseAmended(Answered):
    """The person changed the answer before the survey closed; replaces all earlier versions."""

    TYPE: ClassVar[str] = "response.amended.v1"


class ResponseHeld(Answered):
    """An answer that looks machine-made; counts nowhere, an unhappy one is shown to people as unconfirmed."""

    TYPE: ClassVar[str] = "response.held.v1"


class ResponseReleased(Answered):
    """A held answer turned out to be a person's; counts from now on."""

    TYPE: ClassVar[str] = "response.released.v1"


class ResponseWithdrawn(Response):
    """An answer no longer counts."""

    TYPE: ClassVar[str] = "response.withdrawn.v1"

    reason: str = ""


class IncentiveChanged(Payload):
    """What was promised for an answer was given, or was not after all; `version` rises with each change.

    `redeemed_at` is when it was given, None while it is not; `reference` its number in the giver's system.
    """

    TYPE: ClassVar[str] = "incentive.changed.v1"
    TOPIC: ClassVar[Topic] = Topic.RESPONSES
    AGGREGATE: ClassVar[str] = "survey"

    response_id: str
    survey_id: str
    version: int
    snapshot: Snapshot
    at: Instant
    redeemed_at: Instant | None = None
    reference: str = ""
