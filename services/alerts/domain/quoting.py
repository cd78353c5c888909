"""Whether an answer may be quoted, by its ticks and by what its writer said since (R84).

What they said is kept by `shared/permissions.py`. Scoring goes by the same rule (`store/quoting.py` there).
"""

from __future__ import annotations

from services.alerts.domain.model import Answer, Standing
from shared.permissions import Word


def may_quote(answer: Answer, word: Word | None) -> bool:
    """Whether the words of an answer may be published without name and company.

    Args:
        answer: its newest version, with what its ticks allow.
        word: what was said of it since, if anything was.
    """
    if answer.standing is not Standing.COUNTED:
        return False
    if word is None or not word.holds(answer.version, answer.agreed_at):
        return answer.quotable
    return word.given and word.version == answer.version
