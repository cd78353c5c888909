"""Versions of an answer: what a submission does to what is there (R49, invariant C3)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from services.collector.domain.answers import Reading


class SurveyState(StrEnum):
    """Where a survey stands for the person who holds its link."""

    OPEN = "open"
    CANCELLED = "cancelled"
    CLOSED = "closed"
    ERASED = "erased"


class Door(StrEnum):
    """What the holder of a good link finds."""

    OPEN = "open"
    OVER = "over"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest version that is stored.

    Attributes:
        content: Its digest.
        rendered_at: When the page was rendered from which it came; None: by the API.
        human: Whether it is taken for a person's; None while it is not judged.
        complete: Sent, with nothing missing.
    """

    version: int
    content: str
    rendered_at: datetime | None = None
    human: bool | None = None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Write:
    """Store this as the next version."""

    version: int


@dataclass(frozen=True, slots=True)
class Same:
    """Nothing new: a double click, a repeated request, the same answer again."""

    version: int


def door(state: SurveyState, closes_at: datetime, now: datetime) -> Door:
    """What the link leads to; answers and amendments end with the survey (R48)."""
    match state:
        case SurveyState.ERASED:
            return Door.GONE
        case SurveyState.CANCELLED | SurveyState.CLOSED:
            return Door.OVER
        case SurveyState.OPEN:
            return Door.OPEN if now < closes_at else Door.OVER


def next_version(
    latest: Latest | None, content: str, rendered_at: datetime | None, *, draft: bool = False
) -> Write | Same:
    """The version that a submission becomes.

    A draft, kept while somebody is still at it, never stands in for what was sent. Else it is compared with
    the newest version alone: 9, then 3, then 9 again are three versions, and the last counts. Until an answer
    is known to be a person's, the same one from another rendering of the page may be somebody else's: a
    gateway pressed the very button that the person presses now, who must not be lost.
    """
    if latest is None:
        return Write(1)
    if draft and latest.complete:
        return Same(latest.version)
    told_before = latest.human or (latest.human is None and latest.rendered_at == rendered_at)
    return Same(latest.version) if latest.content == content and told_before else Write(latest.version + 1)


def content_of(reading: Reading, *, draft: bool = False) -> str:
    """A digest by which equal answers are known; short words can be guessed from it: erasure removes it."""
    scores = sorted((score.question, score.item, score.value) for score in reading.scores)
    whole: list[object] = [scores, sorted(reading.choices.items()), sorted(reading.texts.items())]
    whole.append(reading.complete and not draft)
    return hashlib.sha256(msgspec.json.encode(whole)).hexdigest()[:32]
