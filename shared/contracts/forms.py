"""What is asked: questions with their texts in every language, as a survey carries them."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from shared.contracts.model import LocalText, Part


class QuestionType(StrEnum):
    """nps 0 to 10, nps5 1 to 5 (R2), csat 1 to 5 (R3), ces 1 to 7, 7 = easiest (R4), matrix 1 to 5.

    yes_no is 0 for no and 1 for yes; the words at its ends stand on the two buttons. It is in no score.
    """

    NPS = "nps"
    NPS5 = "nps5"
    CSAT = "csat"
    CES = "ces"
    TEXT = "text"
    YES_NO = "yes_no"
    MATRIX = "matrix"
    SINGLE = "single"
    MULTIPLE = "multiple"
    BRAND = "brand"
    CONSENT = "consent"


class Permission(StrEnum):
    """What a tick allows: to be contacted about the answer (R45), to be quoted (R84)."""

    CONTACT = "contact"
    QUOTE = "quote"


SCALES: dict[QuestionType, tuple[int, int]] = {
    QuestionType.NPS: (0, 10),
    QuestionType.NPS5: (1, 5),
    QuestionType.CSAT: (1, 5),
    QuestionType.CES: (1, 7),
    QuestionType.YES_NO: (0, 1),
    QuestionType.MATRIX: (1, 5),
}
"""Lowest and highest value of each scored type, both included."""


class Bounds(Part):
    """A condition on an earlier answer; all given bounds must hold."""

    gte: int | None = None
    lte: int | None = None
    eq: int | str | None = None


class Item(Part):
    """A row of a matrix or an option of a choice."""

    id: str
    text: LocalText


class Question(Part):
    """One question; `when` names earlier questions and the bounds their answers must meet to show it.

    `permission` is what a question of type consent asks for.
    """

    id: str
    type: QuestionType
    text: LocalText
    optional: bool = False
    items: tuple[Item, ...] = ()
    when: dict[str, Bounds] = Field(default_factory=dict)
    low_label: LocalText = Field(default_factory=dict)
    high_label: LocalText = Field(default_factory=dict)
    permission: Permission | None = None


class Form(Part):
    """All that a survey asks.

    `primary` names the question that decides the category; an answer to it at or below `low` is unhappy
    (R95).
    """

    primary: str
    low: int
    title: LocalText
    questions: tuple[Question, ...]


class SubjectLine(Part):
    """One of several subjects; `part` of the recipients get it, as against the parts of the others."""

    id: str
    text: LocalText
    part: int = 1


class Letter(Part):
    """What the invitation says around the score row; `{name}`-style slots come from a closed list.

    `subjects`: what is tried; each recipient gets one of them, always the same. None: `subject` for all.
    """

    subject: LocalText
    subjects: tuple[SubjectLine, ...] = ()
    intro: LocalText = Field(default_factory=dict)
    reminder: LocalText = Field(default_factory=dict)
    sender_name: str = ""
    sender_email: str = ""
    reply_to: str = ""
    incentive: LocalText = Field(default_factory=dict)
