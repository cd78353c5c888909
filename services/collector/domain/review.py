"""What people decide about verdicts, and take back again."""

from __future__ import annotations

from enum import StrEnum


class Why(StrEnum):
    """Why somebody's word for an answer is taken back: a code and no text, for it is kept in the log."""

    MISTAKE = "mistake"
    MACHINE = "machine"
    UNSURE = "unsure"


class TakenBack(StrEnum):
    """What became of an answer whose word was taken back.

    `HELD` as it was before; `COUNTED`, for what was seen of it by now says that a person gave it; `NOTHING`:
    it never counted by anybody's word.
    """

    HELD = "held"
    COUNTED = "counted"
    NOTHING = "nothing"
