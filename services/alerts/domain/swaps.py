"""Two people swap shifts: one offers, the other agrees, and from then on each stands in for the other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.alerts.domain.layers import Override, Stack, spans
from services.alerts.domain.model import Refused


class SwapState(StrEnum):
    """How far a swap has come."""

    OFFERED = "offered"
    AGREED = "agreed"
    DECLINED = "declined"
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A shift or a part of it."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Swap:
    """`asker` gives `given` to `partner` and takes `taken` from them.

    Attributes:
        team: whose rota it is; empty for the one that everybody shares.
    """

    id: UUID
    team: str
    asker: UUID
    partner: UUID
    given: Stretch
    taken: Stretch
    asked_at: datetime
    state: SwapState = SwapState.OFFERED
    ended_at: datetime | None = None


def refusal(swap: Swap, stack: Stack, now: datetime, active: Collection[UUID]) -> str:
    """Why the two shifts cannot be swapped; empty when they can."""
    if swap.asker == swap.partner:
        return "Both shifts are of the same person."
    if not {swap.asker, swap.partner} <= set(active):
        return "One of the two is not active any more."
    if min(swap.given.starts_at, swap.taken.starts_at) < now:
        return "A shift that has begun cannot be swapped; a manager can set a stand-in."
    if not (_has(stack, swap.given, swap.asker, active) and _has(stack, swap.taken, swap.partner, active)):
        return "The rota has changed meanwhile: one of the two shifts is somebody else's now."
    return ""


def agree(
    swap: Swap, stack: Stack, by: UUID, now: datetime, active: Collection[UUID], ids: tuple[UUID, UUID]
) -> tuple[Swap, tuple[Override, Override]] | Refused:
    """The partner agrees: two overrides with these ids come to stand in the rota."""
    if swap.state is not SwapState.OFFERED:
        return Refused("This swap is not on offer any more.")
    if by != swap.partner:
        return Refused("Only the other of the two can agree.")
    why = refusal(swap, stack, now, active)
    if why:
        return Refused(why)
    theirs = Override(
        ids[0], swap.partner, swap.given.starts_at, swap.given.ends_at, team=swap.team, swap=swap.id
    )
    mine = Override(
        ids[1], swap.asker, swap.taken.starts_at, swap.taken.ends_at, team=swap.team, swap=swap.id
    )
    return replace(swap, state=SwapState.AGREED, ended_at=now), (theirs, mine)


def end(swap: Swap, by: UUID, now: datetime, *, manager: bool = False) -> Swap | Refused:
    """The partner declines, or one of the two, or a manager, takes it back before the first shift begins."""
    if swap.state in {SwapState.DECLINED, SwapState.TAKEN_BACK}:
        return swap
    if by not in {swap.asker, swap.partner} and not manager:
        return Refused("Only the two who swap, or a manager, can take it back.")
    if swap.state is SwapState.AGREED and min(swap.given.starts_at, swap.taken.starts_at) <= now:
        return Refused("One of the two shifts has begun already; a manager can set a stand-in.")
    declined = swap.state is SwapState.OFFERED and by == swap.partner
    return replace(swap, state=SwapState.DECLINED if declined else SwapState.TAKEN_BACK, ended_at=now)


def _has(stack: Stack, stretch: Stretch, user_id: UUID, active: Collection[UUID]) -> bool:
    """Whether somebody is on call all of that time."""
    found = spans(stack, stretch.starts_at, stretch.ends_at, active)
    return bool(found) and all(span.duty is not None and span.duty.user_id == user_id for span in found)
