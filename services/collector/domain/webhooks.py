"""Webhooks to customers by Standard Webhooks: what is signed, and when a failed call is tried again."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

PREFIX = "whsec_"

WAITS: Sequence[timedelta] = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""After each failed attempt; three days and three hours in all, as Standard Webhooks advises."""

_GONE = 410
_OK = range(200, 300)


class Topic(StrEnum):
    """What an endpoint can be told."""

    SUBMITTED = "response.submitted"
    AMENDED = "response.amended"
    HELD = "response.held"
    RELEASED = "response.released"
    WITHDRAWN = "response.withdrawn"
    TEST = "webhook.test"


RESPONSES: Sequence[Topic] = tuple(topic for topic in Topic if topic is not Topic.TEST)
"""What an endpoint may choose from; a test is sent to whoever asks for one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from one call.

    Attributes:
        status: 0 when there was no answer at all; `error` then says why.
        retry_after: How long the endpoint asked to wait.
    """

    status: int
    error: str = ""
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """The endpoint took it."""


@dataclass(frozen=True, slots=True)
class TryAt:
    """Again at this time."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No more attempts; `gone`: the endpoint wants nothing any more and is switched off."""

    gone: bool = False


Next: TypeAlias = Delivered | TryAt | GiveUp


def after(answer: Answer, attempts: int, now: datetime) -> Next:
    """What follows an attempt.

    Args:
        answer: Of this attempt.
        attempts: How many there were since the first, or since the last replay; this one counts.
        now: Business time.
    """
    if answer.status in _OK:
        return Delivered()
    if answer.status == _GONE:
        return GiveUp(gone=True)
    if attempts > len(WAITS):
        return GiveUp()
    asked = min(answer.retry_after or timedelta(0), WAITS[-1])
    return TryAt(now + max(WAITS[attempts - 1], asked))


def secret(root: str) -> str:
    """A signing secret in the form of Standard Webhooks, made of a text that nobody can guess."""
    return PREFIX + base64.b64encode(hashlib.sha256(root.encode()).digest()).decode()


def message_id(delivery_id: UUID) -> str:
    """The id by which an endpoint knows a repetition; the same for all attempts and replays."""
    return f"msg_{delivery_id.hex}"
