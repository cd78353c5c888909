"""Programmes as they are published."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from shared.contracts.forms import Form, Letter
from shared.contracts.model import Channel, Family, Payload
from shared.contracts.surveys import CloseTheLoop
from shared.contracts.topics import Topic


class ProgrammeState(StrEnum):
    """Whether a programme asks: active, paused by an operator, shadow (ledger only), archived."""

    ACTIVE = "active"
    PAUSED = "paused"
    SHADOW = "shadow"
    ARCHIVED = "archived"


class ProgrammePublished(Payload):
    """A programme's whole definition; `version` hashes its content, `revision` counts publications.

    `group`: title, objective, further objectives and goal of its group; empty when none is described. `form`,
    `letter` and `channels` are those that a survey of it carries; nobody has filled the letter's slots yet.
    `close_the_loop`, `breakdown` and `stage` are what its surveys say besides, `open_for_days` how long one
    may be answered; with them an answer that was given elsewhere is like one to a survey of it.
    """

    TYPE: ClassVar[str] = "programme.published.v1"
    TOPIC: ClassVar[Topic] = Topic.PROGRAMMES
    AGGREGATE: ClassVar[str] = "programme"

    programme: str
    version: str
    revision: int
    state: ProgrammeState
    family: Family
    definition: dict[str, Any]
    group: dict[str, Any] = Field(default_factory=dict)
    form: Form | None = None
    letter: Letter | None = None
    channels: tuple[Channel, ...] = ()
    close_the_loop: CloseTheLoop = Field(default_factory=CloseTheLoop)
    breakdown: tuple[str, ...] = ()
    stage: str = ""
    open_for_days: int = Field(default=30, ge=1, le=45)
