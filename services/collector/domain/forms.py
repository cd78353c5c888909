"""`forms.yaml`: what an answer to a form of the company's own tool means here. What an operator edits.

A form answers the questions of a programme. Its fields are named as the tool names them; what belongs to what
is checked against the programme before anything counts, scales above all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from typing_extensions import override

from services.collector.domain.answers import is_asked
from shared.config.check import Checked, check
from shared.contracts.forms import SCALES, Form, Question, QuestionType

KEY = re.compile(r"[a-z][a-z0-9-]{0,59}")
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,59}")
_SCALE = re.compile(r"(\d{1,2})\s*-\s*(\d{1,2})")


class Tool(StrEnum):
    """Where people answered."""

    TYPEFORM = "typeform"
    SURVEYMONKEY = "surveymonkey"
    QUALTRICS = "qualtrics"


@dataclass(frozen=True, slots=True)
class Scale:
    """Lowest and highest number of a scale, both included."""

    lowest: int
    highest: int

    @classmethod
    def read(cls, written: object) -> Scale:
        """Read `0-10`.

        Raises:
            ValueError: It is none.
        """
        if isinstance(written, Scale):
            return written
        found = _SCALE.fullmatch(written.strip()) if isinstance(written, str) else None
        if not found or int(found[1]) >= int(found[2]):
            raise ValueError("must be the lowest and the highest number, as 0-10")
        return cls(int(found[1]), int(found[2]))

    @override
    def __str__(self) -> str:
        return f"{self.lowest}-{self.highest}"


class _Rule(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, coerce_numbers_to_str=True
    )


FieldName = Annotated[str, Field(min_length=1, max_length=1000)]
ScaleText = Annotated[
    Scale,
    BeforeValidator(
        Scale.read, json_schema_input_type=Annotated[str, Field(pattern=r"^\d{1,2}\s*-\s*\d{1,2}$")]
    ),
]


class AnswerRule(_Rule):
    """Where the answer to one question is.

    `scale` is that of the tool's question and must be the programme's. `values` says which number or option
    is meant where the tool gives words: `{"Very satisfied": 5}`.
    """

    field: FieldName
    scale: ScaleText | None = None
    values: dict[str, int | str] = Field(default_factory=dict)


class ScoreRule(AnswerRule):
    """Where the score is: the answer to the programme's primary question."""

    scale: ScaleText


class ContactRule(_Rule):
    """Where it is said who answered: the id by which your systems know them, the e-mail address, or both."""

    id: FieldName | None = None
    email: FieldName | None = None
    name: FieldName | None = None

    @model_validator(mode="after")
    def _can_be_found(self) -> ContactRule:
        if not (self.id or self.email):
            raise ValueError("needs id or email, else nobody knows who is meant")
        return self


class SubjectRule(_Rule):
    """What it is about: a fixed kind, and where its id is."""

    kind: str = Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")
    id: FieldName


class FormRule(_Rule):
    """One form; fields are named as the tool names them.

    Typeform: the `ref` or id of a field, or `hidden.NAME`, `variables.NAME`. SurveyMonkey and Qualtrics: a
    column of the export by its header. `comment` answers the open question that the programme asks at that
    score. `response_id`, `time`, `time_format` and `zone` are for exports alone, and needed where an export
    has other columns than usual, or names no zone.
    """

    tool: Tool
    form_id: str = Field(default="", max_length=200)
    programme: str = Field(min_length=1, max_length=63)
    score: ScoreRule
    comment: FieldName | None = None
    questions: dict[str, AnswerRule] = Field(default_factory=dict)
    contact: ContactRule | None = None
    account: FieldName | None = None
    product: FieldName | None = None
    service_type: FieldName | None = None
    subject: SubjectRule | None = None
    context: dict[str, FieldName] = Field(default_factory=dict)
    locale: str = Field(default="en", pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    care_within_days: int = Field(default=7, ge=0, le=45)
    response_id: FieldName | None = None
    time: FieldName | None = None
    time_format: str = Field(default="", max_length=60)
    zone: str = ""

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, given: str) -> str:
        try:
            if given:
                ZoneInfo(given)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("is no time zone; write one as Europe/Stockholm") from error
        return given

    @field_validator("context")
    @classmethod
    def _are_attributes(cls, given: dict[str, str]) -> dict[str, str]:
        for name in given:
            if not _ATTRIBUTE.fullmatch(name) or name == ORIGIN:
                raise ValueError(f"{name!r} must be lower-case letters, digits and _, and is not {ORIGIN!r}")
        return given

    @model_validator(mode="after")
    def _fits_its_tool(self) -> FormRule:
        if self.tool is Tool.TYPEFORM:
            if not self.form_id:
                raise ValueError("a Typeform needs form_id: the last part of its address, as lT4Z3j")
            if self.response_id or self.time or self.time_format or self.zone:
                raise ValueError(
                    "response_id, time, time_format and zone are for exports; Typeform says them"
                )
        elif self.form_id:
            raise ValueError("form_id is for Typeform; an export is named by --form")
        if self.comment and self.comment == self.score.field:
            raise ValueError("score and comment are in the same field")
        return self

    @property
    def fields(self) -> dict[str, str]:
        """Every field that is read, by its place in the file."""
        found = {
            "score.field": self.score.field, "comment": self.comment, "account": self.account,
            "product": self.product, "service_type": self.service_type, "response_id": self.response_id,
            "time": self.time, "subject.id": self.subject.id if self.subject else None,
        }  # fmt: skip
        if self.contact:
            found |= {f"contact.{name}": given for name, given in self.contact if given}
        found |= {f"questions.{name}.field": rule.field for name, rule in self.questions.items()}
        found |= {f"context.{name}": field for name, field in self.context.items()}
        return {place: field for place, field in found.items() if field}


ORIGIN = "form"
"""The attribute of an answer that holds the form's key; a programme may break scores down by it."""


class FormsFile(_Rule):
    """The whole file: forms by key. A key is for good, since answers are known by it."""

    forms: dict[str, FormRule] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> FormsFile:
        ids: dict[str, str] = {}
        for key, rule in self.forms.items():
            if not KEY.fullmatch(key):
                raise ValueError(
                    f"the key {key!r} must be lower-case letters, digits and hyphens, at most 60"
                )
            if rule.form_id and ids.setdefault(rule.form_id, key) != key:
                raise ValueError(f"{ids[rule.form_id]} and {key} are the same form {rule.form_id}")
        return self

    def typeform(self, form_id: str) -> str | None:
        """The key of a Typeform."""
        return next((key for key, rule in self.forms.items() if rule.form_id == form_id), None)


def read_forms(text: str) -> Checked[FormsFile]:
    """Read the file; what is wrong with it says where, and what to do."""
    return check(text, FormsFile, begins="forms:", described="docs/forms.md")


@dataclass(frozen=True, slots=True)
class Misfit:
    """What of a form's rule does not go with its programme; `place` is where in the rule."""

    place: tuple[str, ...]
    reason: str
    what_to_do: str

    @override
    def __str__(self) -> str:
        return f"{'.'.join(self.place)}: {self.reason}. {self.what_to_do}"


def misfits(rule: FormRule, form: Form) -> list[Misfit]:
    """What does not go together; nothing, if answers may count."""
    return [*_of_questions(rule, form), *_of_comment(rule, form)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the tool asks of a programme's questions.

    Attributes:
        form: the questions that have a field. All but the score may be left out, and no condition of ours
            applies: the tool decides whom it shows which.
        comments: the open questions that the comment may answer, with their conditions.
    """

    form: Form
    comments: tuple[Question, ...]

    def comment_for(self, score: int) -> str | None:
        """The open question that somebody with this score would have been asked, else the first one."""
        primary = self.form.primary
        fits = (
            one for one in self.comments if is_asked(one, lambda name: score if name == primary else None)
        )
        found = next(fits, None) or next(iter(self.comments), None)
        return found.id if found else None


def asked(rule: FormRule, form: Form) -> Asked:
    """What the tool asks of a programme."""
    comments = _comments(rule, form) if rule.comment else ()
    mapped = {name.partition(".")[0] for name in rule.questions}
    mapped |= {form.primary, *(question.id for question in comments)}
    questions = [_shown(rule, form, question) for question in form.questions if question.id in mapped]
    return Asked(form.model_copy(update={"questions": tuple(questions)}), comments)


def _comments(rule: FormRule, form: Form) -> tuple[Question, ...]:
    """The open questions that have no field of their own."""
    texts = (one for one in form.questions if one.type is QuestionType.TEXT)
    return tuple(one for one in texts if one.id not in rule.questions)


def _shown(rule: FormRule, form: Form, question: Question) -> Question:
    items = question.items
    if question.type is QuestionType.MATRIX:
        items = tuple(item for item in items if f"{question.id}.{item.id}" in rule.questions)
    return question.model_copy(update={"when": {}, "optional": question.id != form.primary, "items": items})


def _of_questions(rule: FormRule, form: Form) -> Iterator[Misfit]:
    known = _answerable(form)
    yield from _of_scale(("score",), rule.score, known[form.primary])
    for name, answer in rule.questions.items():
        place = ("questions", name)
        if name == form.primary:
            yield Misfit(place, "is what score answers", "Take it out.")
        elif name not in known:
            yield Misfit(place, "is no question of the programme", f"Known there: {', '.join(known)}.")
        else:
            yield from _of_scale(place, answer, known[name])


def _answerable(form: Form) -> dict[str, Question]:
    """Questions by what names them: a row of a matrix is `question.row`."""
    found: dict[str, Question] = {}
    for question in form.questions:
        if question.type is QuestionType.MATRIX:
            found |= {f"{question.id}.{item.id}": question for item in question.items}
        else:
            found[question.id] = question
    return found


def _of_scale(place: tuple[str, ...], rule: AnswerRule, question: Question) -> Iterator[Misfit]:
    bounds = SCALES.get(question.type)
    if bounds is None:
        if rule.scale:
            yield Misfit(
                (*place, "scale"), f"{question.id} has no scale: it is {question.type}", "Take it out."
            )
        return
    scale = Scale(*bounds)
    if rule.scale is None:
        yield Misfit(place, f"scale is missing: {question.id} is {question.type}", f"Write scale: {scale}.")
    elif rule.scale != scale:
        reason = f"the form's scale is {rule.scale}, {question.id} ({question.type}) is {scale}"
        yield Misfit(
            (*place, "scale"), reason, "Scales are never mixed: name a programme that asks on this one."
        )
    else:
        yield from _of_values(place, rule.values, scale)


def _of_values(place: tuple[str, ...], values: Mapping[str, int | str], scale: Scale) -> Iterator[Misfit]:
    for word, value in values.items():
        if not isinstance(value, int) or not scale.lowest <= value <= scale.highest:
            reason = f"{value} is no number of {scale}"
            yield Misfit((*place, "values", word), reason, "Write the number that it means.")


def _of_comment(rule: FormRule, form: Form) -> Iterator[Misfit]:
    if rule.comment and not _comments(rule, form):
        reason = "the programme has no open question left that it could answer"
        yield Misfit(("comment",), reason, "Take it out, or add a question of type text to the programme.")
