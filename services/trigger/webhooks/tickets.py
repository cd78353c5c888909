"""What the helpdesks have in common: two touchpoints, and a subject of kind `ticket`."""

from __future__ import annotations

RESOLVED, REOPENED = "support_ticket.resolved", "support_ticket.reopened"
