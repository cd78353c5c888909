"""How long to wait before a partner is asked again."""

from __future__ import annotations

from datetime import timedelta

LONGEST_WISH = timedelta(hours=1)
_MOST_DOUBLINGS = 16


def wait_after(
    attempts: int, *, first: timedelta, most: timedelta, wish: timedelta | None = None
) -> timedelta:
    """How long to wait after the `attempts`-th try failed: doubling from `first` up to `most`.

    The partner's own wish counts when it is longer than ours, but never beyond an hour.
    """
    doublings: int = 2 ** min(max(attempts - 1, 0), _MOST_DOUBLINGS)
    own = min(first * doublings, most)
    return max(own, min(wish or own, LONGEST_WISH))
