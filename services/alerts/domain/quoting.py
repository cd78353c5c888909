"""Whether an answer may be quoted, by its ticks and by what its writer said since (R84).

What is said by word of mouth stands until the answer is changed: a yes for the words of that very version, a
no for all of them. Scoring goes by the same rule (`store/quoting.py` there).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.alerts.domain.model import Answer, Standing


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


def may_quote(answer: Answer, word: Word | None) -> bool:
    """Whether the words of an answer may be published without name and company.

    Args:
        answer: its newest version, with what its ticks allow.
        word: what was said of it since, if anything was.
    """
    if answer.standing is not Standing.COUNTED:
        return False
    if word is None or word.version < answer.version:
        return answer.quotable
    return word.given and word.version == answer.version
