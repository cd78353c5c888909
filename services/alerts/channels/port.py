"""What each channel promises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from services.alerts.domain.alarm import Text
from services.alerts.domain.model import Occasion

NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notice to hand over.

    Attributes:
        id: stays the same however often it is repeated, so a receiver can tell copies.
        to: an e-mail address or a number; empty for a channel that reaches one room.
        name: the recipient's name.
        ticket_id: the case, the same in all its notices: what a partner groups them by.
        occasion: why somebody is told.
        urgent: how urgent the case is: normal, high or urgent.
        at: business time at which the case came to this.
    """

    id: UUID
    text: Text
    to: str = ""
    name: str = ""
    ticket_id: UUID = NOBODY
    occasion: Occasion = Occasion.OPENED
    urgent: str = "normal"
    at: datetime = datetime(1970, 1, 1, tzinfo=UTC)


class Channel(Protocol):
    """A medium by which reps are told."""

    name: str
    concurrency: int

    async def send(self, delivery: Delivery) -> None:
        """Hand one notice over, within a time of its own.

        Raises:
            SendError: it was not taken, or nobody can know; says whether repeating can help and when.
        """
        ...
