"""Messages of which nobody knows whether they left: why that is so, and what a person may decide about them.

None is ever sent again by itself (rule 6). A person may know more than we do, from the recipient or from the
provider's own pages, or may think a missed survey worse than a double one.
"""

from __future__ import annotations

from enum import StrEnum

STOPPED = "stopped while handing over"
"""Detail of an attempt whose worker ended before it could write down what came of it."""


class Decision(StrEnum):
    """What a person decides: it arrived, it is sent once more, or it is left as it is."""

    DELIVERED = "delivered"
    SEND_AGAIN = "send_again"
    LEAVE = "leave"


class Standing(StrEnum):
    """Where a message stands that is or was uncertain.

    `open`: to be decided, also when it was sent again and is uncertain as before. `left`: somebody left it as
    it is. `decided`: all decisions, with what came of them.
    """

    OPEN = "open"
    LEFT = "left"
    DECIDED = "decided"


class Why(StrEnum):
    """Why nobody knows: who handed it over ended, or the other side never answered."""

    WORKER_STOPPED = "worker_stopped"
    NO_ANSWER = "no_answer"


class Bar(StrEnum):
    """Why a message cannot be sent again."""

    SETTLED = "settled"
    FOLLOWED = "followed"
    ANSWERED = "answered"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    NOT_WRITTEN_TO = "not_written_to"
    ERASED = "erased"


def why(detail: str) -> Why:
    """What an attempt's detail says of the reason why its end is not known."""
    return Why.WORKER_STOPPED if detail == STOPPED else Why.NO_ANSWER
