"""Taking a case from a notice: a signed link to a page with one button, for one person and one purpose."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.alerts.domain.model import Occasion
from shared.security.tokens import Tokens

PURPOSE = "take"
VALID = timedelta(days=14)
"""Longer than any case waits to be taken; a mail found years later takes nothing."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_BYTES = 6

ASKING = frozenset(
    {
        Occasion.OPENED,
        Occasion.JOINED,
        Occasion.REOPENED,
        Occasion.ASSIGNED,
        Occasion.REMINDER,
        Occasion.LATE,
        Occasion.LEADERSHIP,
        Occasion.UNREACHABLE,
        Occasion.UNTAKEN,
    }
)
"""Occasions on which somebody is asked to take care."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who may take which case, and until when."""

    ticket_id: UUID
    user_id: UUID
    until: datetime


def link(tokens: Tokens, case: str, ticket_id: UUID, user_id: UUID, now: datetime) -> str:
    """The address of the page; `case` is that of the case."""
    until = (now + VALID - _EPOCH) // timedelta(milliseconds=1)
    extra = user_id.bytes + until.to_bytes(_TIME_BYTES, "big")
    return f"{case.rpartition('/')[0]}/take/{tokens.sign(PURPOSE, ticket_id, extra)}"


def invitation(tokens: Tokens, token: str) -> Invitation | None:
    """What a link says, or None for anything that was not signed here for this purpose."""
    found = tokens.verify(PURPOSE, token)
    if found is None or len(found.extra) != 16 + _TIME_BYTES:
        return None
    until = _EPOCH + timedelta(milliseconds=int.from_bytes(found.extra[16:], "big"))
    return Invitation(found.subject, UUID(bytes=found.extra[:16]), until)
