"""What a provider's code for a text message says about the number and the person behind it."""

from __future__ import annotations

from enum import StrEnum

from shared.contracts.reasons import Reason

# Twilio's error codes, of refused calls and of messages that did not arrive.
_STOPPED = frozenset({21610})
_NO_SUCH_NUMBER = frozenset({21211, 21214, 21217, 21421, 21614, 30005, 30006})


def sms_reason(code: int) -> Reason:
    """Why a text message failed: the person said stop, the number is dead, or this message was not wanted."""
    if code in _STOPPED:
        return Reason.OPTED_OUT
    return Reason.INVALID_ADDRESS if code in _NO_SUCH_NUMBER else Reason.BOUNCED


class Fate(StrEnum):
    """What a provider says later about a message it was handed."""

    TAKEN = "taken"
    DELIVERED = "delivered"
    LOST = "lost"


_FATES = {
    "accepted": Fate.TAKEN,
    "scheduled": Fate.TAKEN,
    "queued": Fate.TAKEN,
    "sending": Fate.TAKEN,
    "sent": Fate.TAKEN,
    "delivered": Fate.DELIVERED,
    "read": Fate.DELIVERED,
    "undelivered": Fate.LOST,
    "failed": Fate.LOST,
    "canceled": Fate.LOST,
}


def sms_fate(status: str) -> Fate | None:
    """What Twilio's word for a message's state means; None for one that says nothing about its end."""
    return _FATES.get(status)
