"""What a refusal by an SMTP server says about the address."""

from __future__ import annotations

from shared.contracts.reasons import Reason

# RFC 3463: no such mailbox, no such domain, bad syntax, moved without a forwarding address, null MX; mailbox
# disabled.
_DEAD = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
# Codes that say so by themselves, when the server sends no enhanced status and refuses the recipient alone.
_DEAD_CODES = frozenset({550, 551, 553})


def refusal_reason(stage: str, code: int, status: str) -> Reason:
    """Why a message failed: `invalid_address` when nobody will ever be reached there, else `bounced`.

    A refusal for policy or content (5.7.x) says nothing about the address, which may be used again.
    """
    if status in _DEAD or (not status and stage == "rcpt" and code in _DEAD_CODES):
        return Reason.INVALID_ADDRESS
    return Reason.BOUNCED
