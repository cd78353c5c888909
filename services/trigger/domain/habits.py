"""What an event says about what people do: that they use something, or seek help (R93)."""

from __future__ import annotations

from datetime import date, timedelta

from shared.contracts.touchpoints import Touchpoint

USES = "use:"
HELP = "help"
HELP_EVENTS = ("support_ticket.opened", "support_ticket.reopened", "support.contacted")
USE_EVENT = "product.used"
FEATURE = "feature"

KEPT = timedelta(days=70)
"""How far back it is looked."""

_LONGEST = 200


def habit_of(kind: str, told: Touchpoint) -> tuple[str, date] | None:
    """The habit that an event belongs to, and its week (use) or day (help); None for all other events."""
    day = told.occurred_at.date()
    if kind in HELP_EVENTS:
        return HELP, day
    if kind != USE_EVENT or not told.product:
        return None
    part = f"/{told.subject.id}" if told.subject and told.subject.kind == FEATURE else ""
    return f"{USES}{told.product}{part}"[:_LONGEST], day - timedelta(days=day.weekday())
