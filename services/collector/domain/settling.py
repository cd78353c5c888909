"""When an answer may count, and what is announced about it (`delivery.md` of the design, rule 10).

An answer waits until the burst around its link is over and until it is known when the invitation went out.
Then it is judged, and a response moves between four states: not yet announced, counted, held
back, and withdrawn because the same person's answer stands elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from services.collector.domain.verdict import Judgement
from shared.contracts.responses import Mood, Verdict


class State(StrEnum):
    """What was last announced about a response."""

    PENDING = "pending"
    COUNTED = "counted"
    HELD = "held"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Waiting:
    """All that decides when an answer may leave.

    Attributes:
        first_seen_at: First observation of the link, or the answer itself if it came unobserved.
        received_at: When the newest version came in.
        complete: Nothing that was asked is missing.
        draft: What there is was kept on the way; nobody has pressed the button yet.
        closes_at: When the survey stops taking amendments.
    """

    first_seen_at: datetime
    received_at: datetime
    complete: bool
    mood: Mood
    closes_at: datetime
    draft: bool = False


@dataclass(frozen=True, slots=True)
class Patience:
    """How long answers wait.

    Attributes:
        settling: From the first observation on.
        unknown_hand_over: From the answer on, for word about the invitation; after that it leaves without.
        draft: From the last step of an unhappy person who has not pressed the button: they may still be
            writing, or have tapped the wrong number.
    """

    settling: timedelta = timedelta(seconds=20)
    unknown_hand_over: timedelta = timedelta(minutes=15)
    draft: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Due:
    """When an answer leaves: at `ready_at` if the fate of its invitation is known, else `at_latest`."""

    ready_at: datetime
    at_latest: datetime


def due(waiting: Waiting, patience: Patience) -> Due:
    """When the answer may leave.

    An incomplete answer waits for its rest until the survey closes, since a reminder may still bring it
    (R49); but an unhappy person is not kept waiting for a missing tick.
    """
    ready = max(waiting.first_seen_at + patience.settling, waiting.received_at)
    if not waiting.complete and waiting.mood is not Mood.UNHAPPY:
        ready = max(ready, waiting.closes_at)
    elif waiting.draft:
        ready = max(ready, min(waiting.received_at + patience.draft, waiting.closes_at))
    return Due(ready, max(ready, waiting.received_at + patience.unknown_hand_over))


@dataclass(frozen=True, slots=True)
class Judged:
    """One stored version with its judgement."""

    version: int
    judgement: Judgement

    @property
    def human(self) -> bool:
        """Whether it counts."""
        return self.judgement.verdict is Verdict.HUMAN


@dataclass(frozen=True, slots=True)
class Announced:
    """What the world was last told: the state, and which version of the answer."""

    state: State = State.PENDING
    version: int = 0


class Say(StrEnum):
    """Events that a settled answer can lead to."""

    SUBMITTED = "submitted"
    AMENDED = "amended"
    HELD = "held"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"


Step: TypeAlias = tuple[tuple[Say, ...], Announced]


def current(versions: Sequence[Judged]) -> Judged:
    """The version that stands: the last human one; while there is none, the last one.

    A scanner that comes after a person therefore never overwrites the person's answer.
    """
    return next((one for one in reversed(versions) if one.human), versions[-1])


def settle(announced: Announced, versions: Sequence[Judged], *, superseded: bool = False) -> Step:
    """What to announce now, in order, and where the response stands after it; nothing if all is said.

    Args:
        announced: What was said before.
        versions: All stored versions in rising order, at least one, each judged by what is known now.
        superseded: Whoever answered has answered again elsewhere by the same shared link.
    """
    standing = current(versions)
    if superseded:
        then = Announced(State.WITHDRAWN, standing.version)
        told = announced.state in {State.COUNTED, State.HELD}
        return ((Say.WITHDRAWN,) if told else ()), then
    then = Announced(State.COUNTED if standing.human else State.HELD, standing.version)
    if then == announced:
        return (), announced
    return _words(announced, then), then


def _words(before: Announced, then: Announced) -> tuple[Say, ...]:
    match (before.state, then.state):
        case (State.PENDING, State.COUNTED):
            return (Say.SUBMITTED,)
        case (State.COUNTED, State.COUNTED):
            return (Say.AMENDED,)
        case (State.HELD | State.WITHDRAWN, State.COUNTED):
            # Withdrawn before anything was told of it, or after: both count from now on.
            return (Say.RELEASED,)
        case (State.COUNTED, State.HELD):
            # First it stops counting, then it is shown to people as unconfirmed: a person is not lost.
            return (Say.WITHDRAWN, Say.HELD)
        case _:
            return (Say.HELD,)
