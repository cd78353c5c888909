"""What each channel promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from services.alerts.domain.alarm import Text


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notice to hand over.

    Attributes:
        id: stays the same however often it is repeated, so a receiver can tell copies.
        to: an e-mail address; empty for a channel that reaches one room.
        name: the recipient's name.
    """

    id: UUID
    text: Text
    to: str = ""
    name: str = ""


class Channel(Protocol):
    """A medium by which reps are told."""

    name: str
    concurrency: int

    async def send(self, delivery: Delivery) -> None:
        """Hand one notice over.

        Raises:
            SendError: it was not taken, or nobody can know; says whether repeating can help and when.
        """
        ...
