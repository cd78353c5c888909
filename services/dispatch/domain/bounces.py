"""What a refusal by a mail server says about the address, at once or in a report that comes later."""

from __future__ import annotations

import re

from shared.contracts.deliveries import BounceKind
from shared.contracts.reasons import Reason

# RFC 3463: no such mailbox, no such domain, bad syntax, moved without a forwarding address, null MX; mailbox
# disabled.
_DEAD = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
# Codes that say so by themselves, when the server sends no enhanced status and refuses the recipient alone.
_DEAD_CODES = frozenset({550, 551, 553})
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


def refusal_reason(stage: str, code: int, status: str) -> Reason:
    """Why a message failed: `invalid_address` when nobody will ever be reached there, else `bounced`.

    A refusal for policy or content (5.7.x) says nothing about the address, which may be used again.
    """
    if status in _DEAD or (not status and stage == "rcpt" and code in _DEAD_CODES):
        return Reason.INVALID_ADDRESS
    return Reason.BOUNCED


def bounce_kind(status: str) -> BounceKind:
    """What an enhanced status code says: the address is dead, not now, or this mail was not wanted.

    Spam filters refuse with 5.7.x, and with a bare 5.0.0 as often as dead mailboxes do; only codes that name
    the address bury it.
    """
    if status in _DEAD:
        return BounceKind.HARD
    return BounceKind.POLICY if status.startswith(("5.7.", "5.6.", "4.7.")) else BounceKind.SOFT


def status_in(text: str) -> str:
    """The first enhanced status code in a text; "" when there is none."""
    found = _STATUS.search(text)
    return found[0] if found else ""
