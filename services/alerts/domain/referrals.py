"""Whom promoters recommended us to, and what became of it: sent, lead, won (R75)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.alerts.domain.model import Refused


class ReferralState(StrEnum):
    """How far a referral has come."""

    SENT = "sent"
    LEAD = "lead"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Referral:
    """One recommendation of a promoter.

    Attributes:
        reference: by which whoever keeps it knows it, unique within its task.
        who: sealed name of whom we were recommended to.
        lead_at: since when they are interested; whoever was won has been.
    """

    id: UUID
    task_id: UUID
    contact_id: UUID
    programme: str
    reference: str
    state: ReferralState
    sent_at: datetime
    lead_at: datetime | None = None
    won_at: datetime | None = None
    lost_at: datetime | None = None
    who: str = ""


def move(one: Referral, state: ReferralState, at: datetime, now: datetime) -> Referral | Refused:
    """A referral after somebody said how far it is.

    Back is possible, for whoever pressed the wrong button; what comes after the new state is forgotten.

    Args:
        one: as it is.
        state: how far it is.
        at: since when.
        now: business time.
    """
    if state is one.state:
        return one
    if at > now:
        return Refused("That day has not come yet.")
    before = one.lead_at if state is ReferralState.WON and one.lead_at else one.sent_at
    if state is not ReferralState.SENT and at < before:
        return Refused("That was before the step that comes before it.")
    led = one.lead_at or (at if state in {ReferralState.LEAD, ReferralState.WON} else None)
    return replace(
        one,
        state=state,
        lead_at=None if state is ReferralState.SENT else led,
        won_at=at if state is ReferralState.WON else None,
        lost_at=at if state is ReferralState.LOST else None,
    )


@dataclass(frozen=True, slots=True)
class Sums:
    """What referrals come to.

    Attributes:
        sent: all of them, the n of both shares.
        leads: those of them that became interested, won ones among them.
    """

    programme: str
    sent: int
    leads: int
    won: int

    @property
    def lead_share(self) -> float | None:
        """Share that became a lead; None of none."""
        return self.leads / self.sent if self.sent else None

    @property
    def conversion(self) -> float | None:
        """Share that was won; None of none."""
        return self.won / self.sent if self.sent else None


def total(parts: Iterable[Sums]) -> Sums:
    """All programmes together."""
    found = tuple(parts)
    return Sums("", sum(s.sent for s in found), sum(s.leads for s in found), sum(s.won for s in found))
