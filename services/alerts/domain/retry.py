"""When a notice is tried again, and when somebody else must be told instead."""

from __future__ import annotations

from datetime import timedelta

FIRST = timedelta(seconds=5)
MOST = timedelta(minutes=10)
TRIES = 12
"""About an hour in all: then another person is told, long before the clock of the ticket runs out."""


def next_attempt(attempts: int, *, permanent: bool, retry_after: timedelta | None) -> timedelta | None:
    """How long to wait after the `attempts`-th try failed, or None to give up.

    The partner's own wish counts when it is longer than ours, but never beyond an hour.
    """
    if permanent or attempts >= TRIES:
        return None
    doublings: int = 2 ** min(attempts - 1, 16)
    own = min(FIRST * doublings, MOST)
    return max(own, min(retry_after or own, timedelta(hours=1)))
