"""Unhappy answers that may be a machine's: shown to people, with a clock of their own that pages nobody.

A scanner must not wake anyone, and a person whose answer was held back must not be lost (`delivery.md` 10).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.alerts.domain.model import Answer, Standing
from services.alerts.domain.recovery import asked_about
from shared.contracts.responses import Mood


class ItemState(StrEnum):
    """Waiting, or what became of it."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    RELEASED = "released"
    IMPROVED = "improved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Item:
    """A held unhappy answer. `late_at` is when its clock was found to have run out."""

    response_id: UUID
    case_key: UUID
    contact_id: UUID
    held_at: datetime
    due_at: datetime
    state: ItemState = ItemState.WAITING
    late_at: datetime | None = None
    ended_at: datetime | None = None
    by: UUID | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether somebody should still look at it."""
        return self.state is ItemState.WAITING


def judge(item: Item | None, answer: Answer) -> Item | None:
    """What the newest version of an answer makes of its item; None when there is none to keep."""
    matters = answer.wants_ticket or asked_about(answer.snapshot) is not None
    if answer.standing is Standing.HELD and answer.mood is Mood.UNHAPPY and matters:
        if item is not None and item.is_waiting:
            return item
        due_at = answer.since + answer.contact_within
        return Item(answer.response_id, answer.case_key, answer.contact_id, answer.since, due_at)
    if item is None or not item.is_waiting:
        return item
    return replace(item, state=_outcome(answer), ended_at=answer.since)


def decide(item: Item, state: ItemState, by: UUID, at: datetime) -> Item:
    """A person looked: it is somebody's answer (CONFIRMED), or a machine's (DISMISSED)."""
    return replace(item, state=state, by=by, ended_at=at) if item.is_waiting else item


def _outcome(answer: Answer) -> ItemState:
    if answer.standing is Standing.WITHDRAWN:
        return ItemState.WITHDRAWN
    return ItemState.RELEASED if answer.mood is Mood.UNHAPPY else ItemState.IMPROVED
