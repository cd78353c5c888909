"""When a notice is tried again, and when somebody else must be told instead."""

from __future__ import annotations

from datetime import timedelta

from shared.partners.retry import wait_after

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
    return wait_after(attempts, first=FIRST, most=MOST, wish=retry_after)
