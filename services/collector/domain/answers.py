"""Read what was given against what was asked; errors are told beside what could be read, nothing is lost.

What is given maps question ids to plain values: a whole number or its digits for a scale, a text for free
text, item id -> value for a matrix, an option's id or a list of them for choices. Pages and the API both
come here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from services.collector.domain.mood import mood_of, primary_of
from shared.contracts.forms import SCALES, Bounds, Form, Question, QuestionType
from shared.contracts.responses import Mood, Score

MAX_TEXT = 4000
"""Characters of one free text."""

Value: TypeAlias = "int | str | bool | Sequence[str] | Mapping[str, int | str]"
Given: TypeAlias = Mapping[str, Value]


class Problem(StrEnum):
    """What is wrong with one field; pages and the API say it in words."""

    MISSING = "missing"
    NOT_ON_SCALE = "not_on_scale"
    NOT_AN_OPTION = "not_an_option"
    NOT_A_TEXT = "not_a_text"
    TOO_LONG = "too_long"
    NOT_AN_ADDRESS = "not_an_address"


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read of an answer; `problems` maps field (question id, or id.item) to what is wrong."""

    scores: tuple[Score, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, Problem] = field(default_factory=dict)
    mood: Mood | None = None
    """None while the primary question is not answered."""

    @property
    def complete(self) -> bool:
        """Everything asked for is there and readable."""
        return not self.problems and self.mood is not None


@dataclass(slots=True)
class _Draft:
    scores: list[Score] = field(default_factory=list)
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    problems: dict[str, Problem] = field(default_factory=dict)

    def value(self, question: str) -> int | tuple[str, ...] | None:
        """What a condition on an earlier question is held against."""
        for score in self.scores:
            if score.question == question and not score.item:
                return score.value
        return self.choices.get(question)


def read(form: Form, given: Given) -> Reading:
    """Read an answer.

    A question whose condition does not hold is not part of the survey for this person: what was given to it
    is dropped, since a page without scripts may have shown it all the same. Fields that the form does not
    know are ignored.

    Raises:
        ValueError: The form itself has no primary question.
    """
    draft = _Draft()
    for question in form.questions:
        if not question.when or is_asked(question, draft.value):
            _read_one(question, given.get(question.id), draft)
    primary = primary_of(form)
    value = draft.value(primary.id)
    mood = mood_of(primary.type, value, form.low) if isinstance(value, int) else None
    return Reading(tuple(draft.scores), draft.choices, draft.texts, draft.problems, mood)


def is_asked(question: Question, value_of: Callable[[str], int | tuple[str, ...] | None]) -> bool:
    """Whether all conditions of a question hold; one on a question that has no answer does not."""
    return all(_holds(bounds, value_of(earlier)) for earlier, bounds in question.when.items())


def _holds(bounds: Bounds, value: int | tuple[str, ...] | None) -> bool:
    if value is None:
        return False
    if isinstance(value, tuple):
        return bounds.eq in value and bounds.gte is None and bounds.lte is None
    return (
        (bounds.gte is None or value >= bounds.gte)
        and (bounds.lte is None or value <= bounds.lte)
        and (bounds.eq is None or value == bounds.eq)
    )


def _read_one(question: Question, given: Value | None, draft: _Draft) -> None:
    match question.type:
        case QuestionType.TEXT:
            _read_text(question, given, draft)
        case QuestionType.MATRIX:
            _read_matrix(question, given, draft)
        case QuestionType.SINGLE | QuestionType.MULTIPLE | QuestionType.BRAND:
            _read_choice(question, given, draft)
        case QuestionType.CONSENT:
            if _ticked(given):
                draft.choices[question.id] = ("yes",)
        case (
            QuestionType.NPS | QuestionType.NPS5 | QuestionType.CSAT | QuestionType.CES | QuestionType.YES_NO
        ):
            _read_scale(question, given, draft)


def _read_scale(question: Question, given: Value | None, draft: _Draft) -> None:
    if _empty(given):
        if not question.optional:
            draft.problems[question.id] = Problem.MISSING
        return
    value = _on_scale(question.type, given)
    if value is None:
        draft.problems[question.id] = Problem.NOT_ON_SCALE
    else:
        draft.scores.append(Score(question=question.id, type=question.type, value=value))


def _read_matrix(question: Question, given: Value | None, draft: _Draft) -> None:
    rows = given if isinstance(given, Mapping) else {}
    for item in question.items:
        field_name = f"{question.id}.{item.id}"
        raw = rows.get(item.id)
        if _empty(raw):
            if not question.optional:
                draft.problems[field_name] = Problem.MISSING
            continue
        value = _on_scale(question.type, raw)
        if value is None:
            draft.problems[field_name] = Problem.NOT_ON_SCALE
        else:
            draft.scores.append(Score(question=question.id, type=question.type, value=value, item=item.id))


def _read_choice(question: Question, given: Value | None, draft: _Draft) -> None:
    chosen = _options(given)
    if chosen is None or (question.type is QuestionType.SINGLE and len(chosen) > 1):
        draft.problems[question.id] = Problem.NOT_AN_OPTION
    elif not chosen:
        if not question.optional:
            draft.problems[question.id] = Problem.MISSING
    elif not set(chosen) <= {item.id for item in question.items}:
        draft.problems[question.id] = Problem.NOT_AN_OPTION
    else:
        draft.choices[question.id] = chosen


def _read_text(question: Question, given: Value | None, draft: _Draft) -> None:
    if given is not None and not isinstance(given, str):
        draft.problems[question.id] = Problem.NOT_A_TEXT
        return
    text = clean(given or "")
    if len(text) > MAX_TEXT:
        draft.problems[question.id] = Problem.TOO_LONG
    elif text:
        draft.texts[question.id] = text
    elif not question.optional:
        draft.problems[question.id] = Problem.MISSING


def clean(text: str) -> str:
    """A text as people mean it: plain line ends, no control or direction-turning characters, trimmed."""
    if text.isascii() and text.isprintable():
        return text.strip()
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c in "\n\t" or not _is_hidden(c)).strip()


def _is_hidden(character: str) -> bool:
    """Controls, lone surrogates, marks that turn the reading direction; joiners of emoji stay."""
    category = unicodedata.category(character)
    return (
        category in {"Cc", "Cs"}
        or character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
    )


def _on_scale(kind: QuestionType, given: object) -> int | None:
    lowest, highest = SCALES[kind]
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) <= 2:  # noqa: PLR2004 - digits
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int):
        return None
    return given if lowest <= given <= highest else None


def _options(given: Value | None) -> tuple[str, ...] | None:
    if _empty(given):
        return ()
    if isinstance(given, str):
        return (given,)
    if isinstance(given, Sequence) and all(isinstance(option, str) for option in given):
        return tuple(dict.fromkeys(option for option in given if option))
    return None


def _ticked(given: Value | None) -> bool:
    return given is True or (isinstance(given, str) and given in {"yes", "on", "true", "1"})


def _empty(given: object) -> bool:
    return given is None or (isinstance(given, str) and not given.strip())
