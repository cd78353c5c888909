"""Fields of the survey form: how questions become fields, and what is sent becomes an answer again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from services.collector.domain.answers import MAX_TEXT, Given, Problem, Value
from services.collector.domain.mood import primary_of
from services.collector.domain.texts import text_in
from services.collector.handlers.visits import Visit
from shared.contracts.forms import SCALES, Bounds, Question, QuestionType

PREFIX = "q."
HONEYPOT = "leave_empty"
DRAFT = "draft"
"""The field by which the page's script says that nobody has pressed the button yet."""

WHO = "who"
"""The field in which somebody who came by a shared link may leave their e-mail address."""

MAX_FIELDS = 400

Typed = Mapping[str, Sequence[str]]
"""What was typed: field name -> values, as a browser sends it."""

_CHOICES = frozenset({QuestionType.SINGLE, QuestionType.MULTIPLE, QuestionType.BRAND})


@dataclass(frozen=True, slots=True)
class OptionView:
    """One radio button or check box."""

    value: str
    text: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class RowView:
    """A row of scores: the question itself, or one row of a matrix."""

    name: str
    text: str
    options: tuple[OptionView, ...]
    problem: Problem | None


@dataclass(frozen=True, slots=True)
class FieldView:
    """One question as the page shows it.

    Attributes:
        kind: `scale`, `text`, `matrix`, `choice` or `consent`: which part of the template draws it.
        shown_for: Values of the primary question that bring it up; None: always shown.
    """

    kind: str
    name: str
    text: str
    optional: bool
    primary: bool
    multiple: bool
    rows: tuple[RowView, ...]
    options: tuple[OptionView, ...]
    value: str
    low_label: str
    high_label: str
    shown_for: tuple[int, ...] | None
    problem: Problem | None

    @property
    def has_problem(self) -> bool:
        """Whether it, or one of its rows, must be mended."""
        return self.problem is not None or any(row.problem for row in self.rows)


def parse(body: bytes) -> dict[str, list[str]]:
    """Fields of a posted form.

    Raises:
        ValueError: It is no form, or holds too many fields.
    """
    text = body.decode("utf-8", "replace")
    return parse_qs(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)


def given_of(typed: Typed) -> Given:
    """What was typed, as the rules of answers read it; which questions there are is theirs to know."""
    given: dict[str, Value] = {}
    rows: dict[str, dict[str, int | str]] = {}
    for name, values in typed.items():
        question, _, item = name.removeprefix(PREFIX).partition(":")
        if not name.startswith(PREFIX) or not values:
            continue
        if item:
            rows.setdefault(question, {})[item] = values[-1]
        else:
            given[question] = values[0] if len(values) == 1 else list(values)
    return given | rows


def typed_of(visit: Visit) -> dict[str, list[str]]:
    """The answer there is, as if it had been typed."""
    answer = visit.row.answer
    if answer is None:
        return {}
    typed = {PREFIX + question: [text] for question, text in visit.words.items()}
    typed |= {PREFIX + question: list(chosen) for question, chosen in answer.choices.items()}
    for score in answer.scores:
        typed[PREFIX + score.question + (f":{score.item}" if score.item else "")] = [str(score.value)]
    return typed


def views(visit: Visit, language: str, typed: Typed, problems: Mapping[str, Problem]) -> list[FieldView]:
    """The questions as fields, filled with what was typed."""
    primary = primary_of(visit.form)
    return [
        _view(question, primary, visit, _Filled(language, typed, problems, visit.slots))
        for question in visit.form.questions
    ]


@dataclass(frozen=True, slots=True)
class _Filled:
    language: str
    typed: Typed
    problems: Mapping[str, Problem]
    slots: Mapping[str, str]


def _view(question: Question, primary: Question, visit: Visit, filled: _Filled) -> FieldView:
    def say(text: dict[str, str]) -> str:
        return text_in(text, filled.language, visit.slots)

    name = PREFIX + question.id
    chosen = set(filled.typed.get(name, ()))
    options = tuple(OptionView(item.id, say(item.text), item.id in chosen) for item in question.items)
    rows: tuple[RowView, ...] = ()
    if question.type is QuestionType.MATRIX:
        rows = tuple(_row(question, item.id, say(item.text), filled) for item in question.items)
    elif question.type in SCALES:
        rows = (_row(question, "", "", filled),)
    return FieldView(
        kind=kind_of(question.type),
        name=name,
        text=say(question.text),
        optional=question.optional or question.type is QuestionType.CONSENT,
        primary=question.id == primary.id,
        multiple=question.type in {QuestionType.MULTIPLE, QuestionType.BRAND},
        rows=rows,
        options=options,
        value=_last(filled.typed, name),
        # Of yes and no the words stand on the buttons.
        low_label="" if question.type is QuestionType.YES_NO else say(question.low_label),
        high_label="" if question.type is QuestionType.YES_NO else say(question.high_label),
        shown_for=_shown_for(question, primary),
        problem=filled.problems.get(question.id),
    )


def _row(question: Question, item: str, text: str, filled: _Filled) -> RowView:
    name = PREFIX + question.id + (f":{item}" if item else "")
    lowest, highest = SCALES[question.type]
    value = _last(filled.typed, name)
    options = tuple(
        OptionView(str(n), said_of(question, n, filled.language, filled.slots), value == str(n))
        for n in range(lowest, highest + 1)
    )
    problem = filled.problems.get(f"{question.id}.{item}" if item else question.id)
    return RowView(name, text, options, problem)


def kind_of(kind: QuestionType) -> str:
    """Which part of a page draws a question: `scale`, `text`, `matrix`, `choice` or `consent`."""
    if kind in _CHOICES:
        return "choice"
    names = {QuestionType.TEXT: "text", QuestionType.MATRIX: "matrix", QuestionType.CONSENT: "consent"}
    return names.get(kind, "scale")


def said_of(question: Question, value: int, language: str, slots: Mapping[str, str]) -> str:
    """What stands on the button of a value: the number, or for yes and no the programme's word."""
    if question.type is not QuestionType.YES_NO:
        return str(value)
    return text_in(question.high_label if value else question.low_label, language, slots) or str(value)


def _shown_for(question: Question, primary: Question) -> tuple[int, ...] | None:
    """A condition on the primary question alone is kept by the style sheet, without scripts."""
    if set(question.when) != {primary.id}:
        return None
    lowest, highest = SCALES[primary.type]
    return tuple(n for n in range(lowest, highest + 1) if _meets(question.when[primary.id], n))


def _meets(bounds: Bounds, value: int) -> bool:
    return (
        (bounds.gte is None or value >= bounds.gte)
        and (bounds.lte is None or value <= bounds.lte)
        and (bounds.eq is None or value == bounds.eq)
    )


def _last(typed: Typed, name: str) -> str:
    """The last value of a field; a text is cut far beyond its limit, so that a page stays small."""
    values = typed.get(name, ())
    return values[-1][: 2 * MAX_TEXT] if values else ""
