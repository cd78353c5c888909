"""By which way a person is told when another one does not work."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

PATIENCE = timedelta(minutes=3)
"""How long one way may fail before the next is tried beside it: nobody on call waits for a mail server."""


def next_way(ways: Sequence[str], tried: Collection[str]) -> str | None:
    """The first way that was not tried yet; None when there is none left."""
    return next((way for way in ways if way not in tried), None)
