"""What the answers of a programme are broken down by: any dimension that an answer has.

Of some breakdowns sums are kept for all days. Of all others the newest answers are read, and it is said back
to which day.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.scoring.domain.asking import NoSuchRollup, crossings
from services.scoring.domain.rollups import CONTEXT

MOST_READ = 2_000
"""Answers that are read at most for a breakdown without sums, the newest: as many as a page has time for."""

KEPT = crossings()
"""Dimensions of which sums are kept for each programme; so they are of attributes that it names."""

OWNER = "owner"
"""An account manager is a person: for those who may see accounts."""

SPLITS: Mapping[str, tuple[str, ...]] = {
    "account": ("tier", "industry", "size", "region", OWNER),
    "person": ("persona", "job_function", "locale"),
    "survey": ("product", "service_type", "touchpoint", "stage", "channel"),
}
"""Dimensions to choose from, by what they are of; besides them attributes of the event, `context.<name>`."""

_ELSEWHERE = {
    "programme": "the answers are all of one programme; GET /v1/scores tells each programme's",
    "account": "accounts have a page and GET /v1/scores/accounts of their own",
}


def split_of(name: str) -> str:
    """The dimension of this name, the first of those that are kept where none is named.

    Raises:
        NoSuchRollup: a programme's answers are not broken down by it.
    """
    if name in _ELSEWHERE:
        raise NoSuchRollup(f"{name}: {_ELSEWHERE[name]}")
    known = [one for those in SPLITS.values() for one in those]
    attribute = name.startswith(CONTEXT) and name != CONTEXT
    if name and name not in known and not attribute:
        raise NoSuchRollup(
            f"there is no dimension {name!r}; choose one of {', '.join(known)} or {CONTEXT}<name>"
        )
    return name or KEPT[0]
