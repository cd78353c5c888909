"""The invitation to take part in an improvement, and what follows a yes (R94).

Each person is invited once to an improvement, and to one improvement in thirty days; not while their case is
open, and not once it is shipped. A yes is a task for the owner of the improvement; a no may become a yes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.alerts.domain.improvements import Improvement
from services.alerts.domain.model import Answer, Owner
from services.alerts.domain.task_kinds import TaskKind
from services.alerts.domain.tasks import Change, Did, Line, open_

REST = timedelta(days=30)
"""How long nobody is invited to a second improvement."""
KIND = "take_part"
"""The task that a yes opens."""


class Said(StrEnum):
    """What somebody said to an invitation."""

    YES = "yes"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation as it stands.

    Attributes:
        answer: the answer by which they raised what is improved.
        said: what they said so far; None for nothing.
        erased: they were erased since.
    """

    message_id: UUID
    improvement: Improvement
    answer: Answer
    said: Said | None = None
    erased: bool = False

    @property
    def over(self) -> bool:
        """Whether there is nothing left to take part in; a yes that was given stays one."""
        return not self.improvement.waits and self.said is not Said.YES


def after(invitation: Invitation, said: Said) -> Said | None:
    """What they have said once they say this; None where it is too late. No link takes a yes back."""
    if invitation.over or invitation.erased:
        return None
    return Said.YES if invitation.said is Said.YES else said


def task_of(invitation: Invitation, kind: TaskKind, task_id: UUID, subject: UUID, now: datetime) -> Change:
    """What the owner of the improvement has to do for a yes; it does not end by itself."""
    improvement = invitation.improvement
    owner = Owner(improvement.plan.owner, "owns the improvement that they take part in")
    opened = open_(task_id, kind, invitation.answer, subject, owner, now)
    task = replace(opened.task, due_at=now + kind.due, touched=True)
    return Change(task, Line(Did.OPENED, now, data={"why": "takes_part", "improvement": str(improvement.id)}))
