"""What a channel promises, whoever implements it; `tests/contract/test_channels.py` holds each one to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from shared.contracts.reasons import Reason
from shared.errors import SendError


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One finished message for one recipient.

    Attributes:
        key: the delivery's id; the idempotency key where a provider honours one.
        sender: the envelope sender, who gets the bounces.
        recipient: the one mailbox or number.
        content: the message as it goes on the wire.
    """

    key: str
    sender: str
    recipient: str
    content: bytes


class RefusedError(SendError):
    """The provider answered no, for now or for ever; `reason` is what that says about the address."""

    def __init__(
        self, message: str, *, permanent: bool, reason: Reason, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(message, permanent=permanent, retry_after=retry_after)
        self.reason = reason


class Channel(Protocol):
    """Hands messages to a provider. Safe to call from several tasks at once; holds no database.

    Attributes:
        repeatable: a call whose answer nobody heard may be made again: whoever gets it drops what it knows
            by its key, or nothing has left the house.
    """

    repeatable: bool = False

    async def send(self, message: Outgoing) -> None:
        """Hand one message over; returning means that the provider has taken it.

        Raises:
            SendError: not taken; `permanent`, `uncertain` and `retry_after` say what follows. Every call ends
                within the channel's own time limit, and what was on the wire without an answer by then is
                `uncertain`.
        """
        ...

    async def close(self) -> None:
        """Give kept connections back; bounded, never raises."""
        ...
