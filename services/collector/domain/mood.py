"""The category of an answer: one notion of unhappy for NPS, CSAT and CES (R1, R3, R4, R95)."""

from __future__ import annotations

from shared.contracts.forms import Form, Question, QuestionType
from shared.contracts.responses import Mood

HAPPY_FROM: dict[QuestionType, int] = {
    QuestionType.NPS: 9,
    QuestionType.NPS5: 5,
    QuestionType.CSAT: 4,
    QuestionType.CES: 6,
    QuestionType.YES_NO: 1,
}
"""Lowest value of each type that counts as happy: promoter, satisfied, low effort."""


def mood_of(kind: QuestionType, value: int, low: int) -> Mood:
    """The category of a value of the primary question.

    Args:
        kind: A type of `HAPPY_FROM`.
        value: On the scale of that type.
        low: At or below is unhappy, even where the type's usual reading would be kinder.
    """
    if value <= low:
        return Mood.UNHAPPY
    return Mood.HAPPY if value >= HAPPY_FROM[kind] else Mood.PASSIVE


def primary_of(form: Form) -> Question:
    """The question that decides the mood.

    Raises:
        ValueError: The form names none, or one that has no scale.
    """
    for question in form.questions:
        if question.id == form.primary and question.type in HAPPY_FROM:
            return question
    raise ValueError(f"form.primary: {form.primary!r} is no question with a scale")
