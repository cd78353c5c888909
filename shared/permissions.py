"""What writers of answers said by word about being quoted (R84); kept by `shared/db/permissions.py`.

A yes is to the words of that very version. A no is to all of them, until its writer ticks the box anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.contracts.envelope import Event
from shared.contracts.forms import Permission
from shared.contracts.permissions import PermissionNoted


@dataclass(frozen=True, slots=True)
class Word:
    """What the writer of an answer said about being quoted, and who of ours wrote it down.

    Attributes:
        version: of the answer, when it was said.
        by: `user:` or `key:` with an id.
    """

    response_id: UUID
    version: int
    given: bool
    at: datetime
    by: str

    def holds(self, version: int, ticked_at: datetime | None) -> bool:
        """Whether it stands above what a version of the answer ticks.

        Args:
            version: that of the answer.
            ticked_at: when the tick was set that it has; None: it has none, or nobody knows since when.
        """
        if self.version >= version:
            return True
        return not self.given and ticked_at is not None and ticked_at <= self.at

    @property
    def weight(self) -> tuple[int, datetime, bool]:
        """Of two the one of the higher version counts, of these the later, of these the no."""
        return self.version, self.at, not self.given


def weightiest(words: Iterable[Word]) -> list[Word]:
    """The one that counts for each answer, in the order of their ids."""
    found: dict[UUID, Word] = {}
    for word in words:
        known = found.get(word.response_id)
        if known is None or known.weight < word.weight:
            found[word.response_id] = word
    return [found[key] for key in sorted(found)]


def heard(events: Iterable[Event[PermissionNoted]]) -> list[Word]:
    """What others were told about being quoted, the weightiest of each answer."""
    told = (event.data for event in events if event.data.permission is Permission.QUOTE)
    return weightiest(Word(UUID(one.response_id), one.version, one.given, one.at, one.by) for one in told)
